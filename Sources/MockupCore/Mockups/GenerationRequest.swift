public import FoundationEssentials

/// A validated request for mockups: one of each asset in each scene.
public struct GenerationRequest: Sendable, Hashable {
  /// The maximum number of pairs of an asset and a scene in one request.
  public static let maximumPairs = 500
  /// The time to live of a mockup's reservation if the request states none: 24 hours.
  ///
  /// If no worker claims the mockup by then, the reservation expires.
  public static let defaultTimeToLive: Duration = .seconds(86_400)

  /// The user whose mockups are generated and whose credits are reserved.
  public let userID: UUID
  /// The idempotency key, made by the client and unique for the user.
  public let id: UUID
  /// The assets in the order of the request, without duplicates.
  public let assetIDs: [UUID]
  /// The keys of the scenes in the order of the request, without duplicates.
  public let scenes: [String]
  /// A Boolean value that indicates whether completed mockups are approved immediately.
  public let skipsApproval: Bool
  /// The quote that the mockups are for, which must belong to the user, or nil if there is none.
  public let quoteID: UUID?
  /// The credits to reserve for each mockup, and how long to hold them.
  public let cost: MockupCost

  /// A limit that a request violates.
  public enum Violation: Error, Sendable, Hashable {
    /// The request names no asset.
    case noAssets
    /// The request names no scene.
    case noScenes
    /// The request has more pairs than ``maximumPairs``; the associated value is their number.
    case tooManyPairs(Int)
  }

  /// Creates a request, removes its duplicates and checks its limits.
  ///
  /// - Throws: The first limit that the request violates.
  public init(
    userID: UUID, id: UUID, assetIDs: [UUID], scenes: [String], skipsApproval: Bool = false,
    quoteID: UUID? = nil, cost: MockupCost = MockupCost()
  ) throws(Violation) {
    let assetIDs = assetIDs.withoutDuplicates { $0 }
    // Compares the bytes of the keys, as the database does. Swift's comparison of strings ignores
    // differences in Unicode normalization.
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

  /// The number of mockups requested: one for each pair of an asset and a scene.
  public var pairCount: Int { assetIDs.count * scenes.count }
}

/// The credits to reserve for one mockup, and how long to hold them.
public struct MockupCost: Sendable, Hashable {
  /// The numbers of credits that can be reserved for one mockup.
  public static let creditsRange: ClosedRange<Int32> = 1...1000

  /// The number of credits to reserve.
  public let credits: Int32
  /// The time after which the reservation expires, in whole seconds.
  public let timeToLive: Duration

  /// A limit that a cost violates.
  public enum Violation: Error, Sendable, Hashable {
    /// The number of credits is outside ``creditsRange``.
    case creditsOutOfRange
    /// The time to live is not a whole number of seconds from 1 second to 24 hours.
    case timeToLiveOutOfRange
  }

  /// Creates the default cost: 1 credit, held for 24 hours.
  public init() {
    credits = 1
    timeToLive = GenerationRequest.defaultTimeToLive
  }

  /// Creates a cost and checks its limits.
  ///
  /// - Throws: The first limit that the cost violates.
  public init(
    credits: Int32, timeToLive: Duration = GenerationRequest.defaultTimeToLive
  ) throws(Violation) {
    guard Self.creditsRange.contains(credits) else { throw .creditsOutOfRange }
    guard ReservationRequest.allows(timeToLive: timeToLive) else { throw .timeToLiveOutOfRange }
    self.credits = credits
    self.timeToLive = timeToLive
  }
}

extension Sequence {
  /// Returns the first element of each identity, in order.
  fileprivate func withoutDuplicates(_ identity: (Element) -> some Hashable) -> [Element] {
    var seen: Set<AnyHashable> = []
    return filter { seen.insert(AnyHashable(identity($0))).inserted }
  }
}
