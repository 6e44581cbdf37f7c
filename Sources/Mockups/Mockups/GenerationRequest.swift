public import FoundationEssentials

/// Assets and scenes that mockups are asked for: one of each asset in each scene. Once made, it is within
/// the limits and has no duplicates.
public struct GenerationRequest: Sendable, Hashable {
  /// The most pairs of one request.
  public static let maximumPairs = 500
  /// How long credits stay set aside for a mockup that nobody claims, where the request does not say.
  public static let defaultTimeToLive: Duration = .seconds(86_400)

  public let userID: UUID
  public let id: UUID
  /// In the request's order, as the scenes.
  public let assetIDs: [UUID]
  public let scenes: [String]
  /// Completed mockups are approved at once.
  public let skipsApproval: Bool
  public let quoteID: UUID?
  public let cost: MockupCost

  /// A limit that a request does not keep.
  public enum Violation: Error, Sendable, Hashable {
    case noAssets
    case noScenes
    /// So many, more than ``maximumPairs``.
    case tooManyPairs(Int)
  }

  /// - Throws: The first limit that is not kept.
  public init(
    userID: UUID, id: UUID, assetIDs: [UUID], scenes: [String], skipsApproval: Bool = false,
    quoteID: UUID? = nil, cost: MockupCost = MockupCost()
  ) throws(Violation) {
    let assetIDs = assetIDs.withoutDuplicates { $0 }
    // Keys are compared as the database does: to Swift, an é of one character and an é of two are the
    // same.
    let scenes = scenes.withoutDuplicates { Array($0.utf8) }
    guard !assetIDs.isEmpty else { throw .noAssets }
    guard !scenes.isEmpty else { throw .noScenes }
    let pairs = assetIDs.count.multipliedReportingOverflow(by: scenes.count)
    guard !pairs.overflow, pairs.partialValue <= Self.maximumPairs else {
      throw .tooManyPairs(pairs.overflow ? .max : pairs.partialValue)
    }
    self.userID = userID
    self.id = id
    self.assetIDs = assetIDs
    self.scenes = scenes
    self.skipsApproval = skipsApproval
    self.quoteID = quoteID
    self.cost = cost
  }

  public var pairCount: Int { assetIDs.count * scenes.count }
}

/// What making one mockup may cost, and how long that stays set aside for it.
public struct MockupCost: Sendable, Hashable {
  public static let creditsRange: ClosedRange<Int32> = 1...1000

  public let credits: Int32
  /// Whole seconds.
  public let timeToLive: Duration

  public enum Violation: Error, Sendable, Hashable {
    case creditsOutOfRange
    /// Whole seconds, from one to a day.
    case timeToLiveOutOfRange
  }

  /// One credit, for a day.
  public init() {
    credits = 1
    timeToLive = GenerationRequest.defaultTimeToLive
  }

  /// - Throws: The first limit that is not kept.
  public init(
    credits: Int32, timeToLive: Duration = GenerationRequest.defaultTimeToLive
  ) throws(Violation) {
    guard Self.creditsRange.contains(credits) else { throw .creditsOutOfRange }
    guard timeToLive.components.attoseconds == 0, timeToLive >= .seconds(1),
      timeToLive <= ReservationRequest.maximumTimeToLive
    else { throw .timeToLiveOutOfRange }
    self.credits = credits
    self.timeToLive = timeToLive
  }
}

extension Sequence {
  /// The first element of each identity.
  fileprivate func withoutDuplicates(_ identity: (Element) -> some Hashable) -> [Element] {
    var seen: Set<AnyHashable> = []
    return filter { seen.insert(AnyHashable(identity($0))).inserted }
  }
}
