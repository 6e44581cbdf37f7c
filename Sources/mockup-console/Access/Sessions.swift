internal import NIOConcurrencyHelpers

/// The sessions of the browsers that have signed in with a token, and the token for the next one.
final class Sessions: Sendable {
  /// The time after which a session ends.
  static let lifetime: Duration = .seconds(12 * 3600)

  struct Session: Sendable {
    var formToken: String
    var end: ContinuousClock.Instant
  }

  private struct State {
    var token: String?
    var sessions: [String: Session] = [:]
  }

  private let state = NIOLockedValueBox(State())
  private let now: @Sendable () -> ContinuousClock.Instant

  /// - Parameter now: The clock by which sessions end.
  init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
    self.now = now
  }

  /// Returns a new token that works once, and revokes the token before.
  func makeToken() -> String {
    let token = Secret.make()
    state.withLockedValue { $0.token = token }
    return token
  }

  /// Starts a session, and revokes the token; `nil` if the token is not the current one.
  ///
  /// - Returns: The session's id, for a cookie.
  func start(with token: String) -> String? {
    let id = Secret.make()
    let session = Session(formToken: Secret.make(), end: now() + Self.lifetime)
    return state.withLockedValue { state in
      guard let current = state.token, Secret.areEqual(current, token) else { return nil }
      state.token = nil
      state.sessions = state.sessions.filter { $0.value.end > now() }
      state.sessions[id] = session
      return id
    }
  }

  /// Returns the session with an id; `nil` if there is none or it has ended.
  func session(_ id: String) -> Session? {
    state.withLockedValue { state in
      guard let session = state.sessions[id], session.end > now() else { return nil }
      return session
    }
  }
}
