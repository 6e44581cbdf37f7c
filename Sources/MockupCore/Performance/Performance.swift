public import FoundationEssentials

/// Pins and impressions to add to the counters of one mockup.
public struct PerformanceEntry: Sendable, Hashable {
  /// The mockup's user, or nil if the client sent an invalid id.
  ///
  /// An entry with an invalid id is refused as ``PerformanceRefusal/unknownMockup``.
  public var userID: UUID?
  /// The mockup, or nil if the client sent an invalid id.
  public var mockupID: UUID?
  /// The number of new pins; a negative number is refused.
  public var pins: Int32
  /// The number of new impressions; a negative number is refused.
  public var impressions: Int32

  /// Creates an entry.
  public init(userID: UUID?, mockupID: UUID?, pins: Int32, impressions: Int32) {
    self.userID = userID
    self.mockupID = mockupID
    self.pins = pins
    self.impressions = impressions
  }
}

/// A batch of entries that counts once, however often it is sent.
public struct PerformanceBatch: Sendable, Hashable {
  /// The maximum number of entries in one batch.
  public static let maximumCount = 1000

  /// The idempotency key, made by the client and unique among all users.
  public var id: UUID
  /// The entries, which may name mockups of several users.
  public var entries: [PerformanceEntry]

  /// Creates a batch.
  public init(id: UUID, entries: [PerformanceEntry]) {
    self.id = id
    self.entries = entries
  }
}

/// The reason why an entry was not counted.
///
/// The raw values are those of the column `refusals` in the database.
public enum PerformanceRefusal: String, Sendable, Hashable, CaseIterable {
  /// The entry has negative pins or impressions; the counters only grow.
  case negative
  /// The mockup does not exist, or belongs to another user.
  case unknownMockup = "unknown_mockup"
  /// A counter would exceed 2^31 - 1.
  case counterFull = "counter_full"
}

/// The result of a batch.
public struct PerformanceOutcome: Sendable, Hashable {
  /// The number of entries that were counted.
  public var counted: Int32
  /// The entries that were not counted, in the order of the batch.
  public var refused: [Refused]
  /// True if this is the result of an earlier call, which counted the batch.
  public var isReplayed: Bool

  /// An entry that was not counted.
  public struct Refused: Sendable, Hashable {
    /// The entry's index in the batch, from 0.
    public var index: Int32
    /// The reason why the entry was not counted.
    public var reason: PerformanceRefusal

    /// Creates a refusal of the entry at an index.
    public init(index: Int32, reason: PerformanceRefusal) {
      self.index = index
      self.reason = reason
    }
  }

  /// Creates a result.
  public init(counted: Int32 = 0, refused: [Refused] = [], isReplayed: Bool = false) {
    self.counted = counted
    self.refused = refused
    self.isReplayed = isReplayed
  }
}
