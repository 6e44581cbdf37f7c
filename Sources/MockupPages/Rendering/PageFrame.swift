internal import MockupVersion

/// The parts of a page that surround its content: title, style and navigation.
public struct PageFrame: Sendable {
  /// A link of the navigation.
  struct Link: Sendable {
    var address: String
    var text: String
    var isCurrent: Bool
  }

  /// A page of the navigation.
  public enum Section: String, Sendable, CaseIterable {
    /// The report on all users.
    case users = "/"
    /// The unresolved reservations.
    case stuck = "/stuck"
    /// The state of the server.
    case server = "/server"

    fileprivate var text: String {
      switch self {
      case .users: "Users"
      case .stuck: "Stuck"
      case .server: "Server"
      }
    }
  }

  var title: String
  var stylesheetPath: String?
  var inlineStyle: String?
  var links: [Link]
  var identity: String?
  var version = Version.text

  /// Creates the frame of a page of the console.
  ///
  /// - Parameters:
  ///   - title: The title of the page.
  ///   - section: The page of the navigation that is shown, or that leads to this page.
  ///   - identity: The name of the signed-in person, if a proxy has passed one.
  public static func page(
    _ title: String, in section: Section? = nil, identity: String? = nil
  ) -> PageFrame {
    PageFrame(
      title: title, stylesheetPath: Stylesheet.path, inlineStyle: nil,
      links: Section.allCases.map {
        Link(address: $0.rawValue, text: $0.text, isCurrent: $0 == section)
      },
      identity: identity)
  }

  /// Creates the frame of a page without navigation, for a person who is not signed in.
  public static func bare(_ title: String) -> PageFrame {
    PageFrame(title: title, stylesheetPath: Stylesheet.path, inlineStyle: nil, links: [])
  }

  /// Creates the frame of a file that contains its style and has no links to the console.
  public static func file(_ title: String) -> PageFrame {
    PageFrame(title: title, stylesheetPath: nil, inlineStyle: Templates.stylesheet, links: [])
  }
}
