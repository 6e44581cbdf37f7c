internal import ArgumentParser
internal import Foundation

/// A number of seconds on the command line: more than 0, at most 86400 (a day).
struct Seconds: ExpressibleByArgument, CustomStringConvertible {
  /// The default time to wait for one response.
  static let forOneAnswer = Seconds(count: 10)

  private let count: Double

  private init(count: Double) {
    self.count = count
  }

  init?(argument: String) {
    guard let count = Double(argument), count > 0, count <= 86_400 else { return nil }
    self.count = count
  }

  var duration: Duration { .seconds(count) }

  var description: String { count.formatted(.number.grouping(.never)) }
  var defaultValueDescription: String { description }
}
