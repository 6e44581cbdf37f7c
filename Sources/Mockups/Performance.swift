public import FoundationEssentials

/// Pins and impressions of one mockup, to be added to what it has.
public struct PerformanceEntry: Sendable, Hashable {
  /// `nil`: what was sent is no id, and so nobody's.
  public var userID: UUID?
  /// `nil`, as ``userID``.
  public var mockupID: UUID?
  public var pins: Int32
  public var impressions: Int32

  public init(userID: UUID?, mockupID: UUID?, pins: Int32, impressions: Int32) {
    self.userID = userID
    self.mockupID = mockupID
    self.pins = pins
    self.impressions = impressions
  }
}

/// Entries that count once, however often they are sent.
public struct PerformanceBatch: Sendable, Hashable {
  /// The most entries of one batch.
  public static let maximumCount = 1000

  /// Made by the client.
  public var id: UUID
  public var entries: [PerformanceEntry]

  public init(id: UUID, entries: [PerformanceEntry]) {
    self.id = id
    self.entries = entries
  }
}

/// Why an entry was not counted; raw values are the database's words.
public enum PerformanceRefusal: String, Sendable, Hashable, CaseIterable {
  /// Pins and impressions only grow.
  case negative
  /// There is no such mockup, or it is another user's.
  case unknownMockup = "unknown_mockup"
  /// A counter would pass what 32 bits hold.
  case counterFull = "counter_full"
}

/// What has become of a batch.
public struct PerformanceOutcome: Sendable, Hashable {
  /// How many entries were counted.
  public var counted: Int32
  /// Those that were not, in their order.
  public var refused: [Refused]
  /// The batch was counted before, and this is the first answer again.
  public var isReplayed: Bool

  public struct Refused: Sendable, Hashable {
    /// Which of the batch, from 0.
    public var index: Int32
    public var reason: PerformanceRefusal

    public init(index: Int32, reason: PerformanceRefusal) {
      self.index = index
      self.reason = reason
    }
  }

  public init(counted: Int32 = 0, refused: [Refused] = [], isReplayed: Bool = false) {
    self.counted = counted
    self.refused = refused
    self.isReplayed = isReplayed
  }
}
