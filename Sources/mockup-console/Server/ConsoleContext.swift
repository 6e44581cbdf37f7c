internal import Hummingbird

/// The state of a request on its way to a page.
struct ConsoleContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// The signed-in person; `nil` before the sign-in was checked.
  var visitor: Visitor?

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
  }
}

/// A signed-in person.
struct Visitor: Sendable {
  /// The name that the proxy has passed; `nil` with a session of a token.
  var name: String?
  /// The token that each form of this person must contain.
  var formToken: String

  /// The person in a line of the log.
  var logName: String { name ?? "session" }
}
