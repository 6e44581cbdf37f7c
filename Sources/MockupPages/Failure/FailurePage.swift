/// A page that says why a request failed.
public struct FailurePage: Sendable {
  /// The message: what happened, to what.
  public var message: String
  /// The advice on what to do; empty if there is none.
  public var advice: String

  /// Creates the page.
  public init(message: String, advice: String = "") {
    self.message = message
    self.advice = advice
  }

  /// Returns the page as HTML.
  public func html(in frame: PageFrame) -> String {
    struct Model {
      var frame: PageFrame
      var message: String
      var advice: String?
    }
    return Templates.render(
      Model(frame: frame, message: message, advice: advice.isEmpty ? nil : advice),
      with: "failure")
  }
}
