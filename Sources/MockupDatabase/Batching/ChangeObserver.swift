/// A queue whose items are written in batches.
///
/// The raw value is the name in metrics.
public enum WriteQueue: String, Sendable, Hashable, CaseIterable {
  /// Changes of credits, in the shards of users.
  case credits
  /// Workers' reports of completed and failed mockups, in the shards of users.
  case mockups
  /// Batches of pins and impressions.
  case performance
}

/// A kind of change of a user's credits.
///
/// The raw value is the name in metrics.
public enum ChangeKind: String, Sendable, Hashable, CaseIterable {
  /// A new reservation.
  case reserve
  /// A dispatch of a reservation.
  case dispatch
  /// A later expiry of a reservation.
  case extend
  /// A commit of credits.
  case commit
  /// A release of a reservation.
  case release
  /// A refund of a charge.
  case refund
}

/// The engine's answer to a change of a user's credits.
///
/// The raw value is the name in metrics.
public enum ChangeResult: String, Sendable, Hashable, CaseIterable {
  /// The change was made.
  case made
  /// An earlier call had made the change, or had been refused.
  case replayed
  /// Too few credits were available.
  case refused
  /// The user, the reservation or another object does not exist.
  case unknown
  /// The state of the reservation does not allow the change.
  case notOpen = "not_open"
  /// The change exceeds what is held or was charged.
  case excessive
  /// The id was used for another change.
  case conflict

  /// Converts the outcome of an engine's function.
  init(outcome: String, isReplayed: Bool) {
    self =
      switch outcome {
      case _ where isReplayed: .replayed
      case "admitted", "settled", "refunded": .made
      case "refused", "insufficient": .refused
      case "not_open": .notOpen
      case "exceeds_held", "exceeds_maximum", "exceeds_charge", "not_a_charge": .excessive
      case "not_found", "unknown_user", "unknown_mockup": .unknown
      default: .conflict
      }
  }
}

/// An observer of the changes that stores write, for metrics.
///
/// The methods are called on the threads of connections, and some under the lock of a queue. They
/// must return quickly.
public protocol ChangeObserver: Sendable {
  /// Handles a batch that is being sent.
  ///
  /// - Parameters:
  ///   - queue: The queue of the batch.
  ///   - size: The number of its items.
  ///   - wait: The time since its first item was submitted.
  func batchWasSent(of queue: WriteQueue, size: Int, wait: Duration)

  /// Handles a batch that was written, or whose write failed.
  ///
  /// - Parameters:
  ///   - queue: The queue of the batch.
  ///   - time: The time since the batch was sent.
  func batchEnded(of queue: WriteQueue, after time: Duration)

  /// Handles the answer to a single change of credits, or to an item of a caller's batch.
  ///
  /// - Parameters:
  ///   - kind: The kind of the change.
  ///   - result: The result for the caller.
  func changeWasAnswered(_ kind: ChangeKind, _ result: ChangeResult)
}
