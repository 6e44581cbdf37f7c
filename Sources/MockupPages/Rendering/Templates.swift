internal import Mustache

/// The templates of the pages, which are compiled into the program.
enum Templates {
  private static let library: MustacheLibrary = {
    MustacheContentTypes.register(Markup(), named: Markup.contentType)
    var library = MustacheLibrary()
    for (name, bytes) in sources {
      // A partial starts with the library's own escaping, so every template chooses ours.
      let text =
        "{{% CONTENT_TYPE: \(Markup.contentType)}}" + String(decoding: bytes, as: UTF8.self)
      do {
        try library.register(text, named: name)
      } catch {
        preconditionFailure("the template \(name) is invalid: \(error)")
      }
    }
    return library
  }()

  private static let sources: [String: [UInt8]] = [
    "failure": PackageResources.failure_mustache,
    "layout": PackageResources.layout_mustache,
    "name": PackageResources.name_mustache,
    "pages": PackageResources.pages_mustache,
    "resolve": PackageResources.resolve_mustache,
    "server": PackageResources.server_mustache,
    "stuck": PackageResources.stuck_mustache,
    "user": PackageResources.user_mustache,
    "users": PackageResources.users_mustache,
  ]

  /// The stylesheet of all pages.
  static let stylesheet = String(decoding: PackageResources.style_css, as: UTF8.self)

  /// Renders the stored properties of a value with a template.
  static func render(_ value: Any, with name: String) -> String {
    guard let text = library.render(value, withTemplate: name) else {
      preconditionFailure("there is no template \(name)")
    }
    return text
  }
}
