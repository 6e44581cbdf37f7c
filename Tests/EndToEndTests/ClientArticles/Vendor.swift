import FoundationEssentials

/// A stand-in for the paid vendor, which keeps the pictures that it made for a reference.
actor Vendor {
  /// The vendor refused the work and charged nothing.
  struct Refusal: Error {
    let reason: String
  }

  /// The vendor takes no work at the moment, and charged nothing.
  struct Busy: Error {}

  /// The vendor made the pictures, and its answer was lost.
  struct AnswerLost: Error {}

  struct Picture: Sendable {
    var url: String
    var key: String
    var credits: Int
  }

  /// The number of calls that made pictures.
  private(set) var calls = 0
  private var made: [UUID: [String]] = [:]
  private var failure: (any Error)?

  init(failingOnceWith failure: (any Error)? = nil) {
    self.failure = failure
  }

  func render(_ scenes: [String], reference: UUID) throws -> [String] {
    let failure = nextFailure()
    if let failure, !(failure is AnswerLost) { throw failure }
    let pictures = scenes.map { "https://files.example/\($0).png" }
    made[reference] = pictures
    calls += 1
    if let failure { throw failure }
    return pictures
  }

  func picture(template: String, asset: String) throws -> Picture {
    if let failure = nextFailure() { throw failure }
    calls += 1
    return Picture(
      url: "https://files.example/\(template).png", key: "\(asset)/\(template)", credits: 1)
  }

  func pictures(for reference: UUID) -> [String]? { made[reference] }

  private func nextFailure() -> (any Error)? {
    defer { failure = nil }
    return failure
  }
}
