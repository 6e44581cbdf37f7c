/// A set of methods that a caller may use.
///
/// The methods of each role are listed in `AccessTable`. The raw value is the role's name in
/// settings and logs.
public enum Role: String, Sendable, Hashable, CaseIterable {
  /// Reserves and settles credits, requests and reviews mockups, and manages users' scenes.
  case service
  /// Claims mockups and reports their outcome.
  case worker
  /// Reads mockups, and records their pins and impressions.
  case scheduler
  /// Calls every method.
  case admin
  /// Reads data, and changes nothing.
  case reader
  /// Reads metrics and the server's state, and nothing else.
  case monitor
}
