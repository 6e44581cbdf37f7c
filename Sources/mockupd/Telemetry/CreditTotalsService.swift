internal import CoreMetrics
internal import FoundationEssentials
internal import Logging
internal import MockupDatabase
internal import NIOConcurrencyHelpers
internal import ServiceLifecycle

/// The service that reads the totals of credits from the database for the metrics.
struct CreditTotalsService: ServiceLifecycle.Service, CustomStringConvertible {
  /// The pause after a failed attempt until the totals have been read once, which is soon.
  private static let firstPause: Duration = .milliseconds(500)

  let store: AdminStore
  let metrics: CreditTotalsMetrics
  let interval: Duration
  let logger: Logger

  var description: String { "credit totals" }

  func run() async throws {
    try? await cancelWhenGracefulShutdown {
      var pause = min(Self.firstPause, interval)
      while true {
        do throws(CreditError) {
          metrics.set(try await store.totals())
          pause = interval
        } catch {
          // An unavailable database is logged elsewhere, and the metrics state their age.
          logger.debug("cannot read the totals of credits", metadata: ["error": "\(error)"])
        }
        try await Task.sleep(for: pause)
      }
    }
  }
}

/// The gauges of the credits of all users, which exist once the totals were read.
///
/// None of them has a label for a user.
final class CreditTotalsMetrics: Sendable {
  static let helps: [(String, String)] = [
    ("mockupd_credits_budget", "Annual budgets of the users that mockupd_users_active counts."),
    ("mockupd_credits_used", "Credits used this year, refunds subtracted."),
    ("mockupd_credits_held", "Credits of this year that reservations hold."),
    (
      "mockupd_users_active",
      "Users who requested credits or released a group, or whose budget was set, this year."
    ),
    ("mockupd_users_above_soft_limit", "Users above the soft limit of this month."),
    ("mockupd_users_exhausted", "Users without available credits."),
    ("mockupd_reservations_open", "Reservations that are held or dispatched."),
    ("mockupd_reservations_unresolved", "Reservations that an administrator must resolve."),
    (
      "mockupd_reservations_oldest_unresolved_age_seconds",
      "Time since the oldest unresolved reservation expired; 0 if there is none."
    ),
    ("mockupd_mockups_pending", "Mockups that wait for a worker."),
    (
      "mockupd_mockups_oldest_pending_age_seconds",
      "Time since the request for the oldest pending mockup; 0 if there is none."
    ),
    ("mockupd_mockups_leased", "Mockups that workers have leased."),
    (
      "mockupd_totals_timestamp_seconds",
      "Unix time when the metrics of credits, users, reservations and mockups were read."
    ),
  ]

  private let gauges = NIOLockedValueBox<[String: Meter]>([:])

  func set(_ totals: CreditTotals) {
    func age(_ date: Date?) -> Double {
      date.map { max(totals.readAt.timeIntervalSince($0), 0) } ?? 0
    }
    let values: [(String, Double)] = [
      ("mockupd_credits_budget", Double(totals.annualBudget)),
      ("mockupd_credits_used", Double(totals.used)),
      ("mockupd_credits_held", Double(totals.held)),
      ("mockupd_users_active", Double(totals.users)),
      ("mockupd_users_above_soft_limit", Double(totals.usersAboveSoftLimit)),
      ("mockupd_users_exhausted", Double(totals.usersExhausted)),
      ("mockupd_reservations_open", Double(totals.openReservations)),
      ("mockupd_reservations_unresolved", Double(totals.unresolvedReservations)),
      (
        "mockupd_reservations_oldest_unresolved_age_seconds", age(totals.oldestUnresolvedAt)
      ),
      ("mockupd_mockups_pending", Double(totals.pendingMockups)),
      ("mockupd_mockups_oldest_pending_age_seconds", age(totals.oldestPendingAt)),
      ("mockupd_mockups_leased", Double(totals.leasedMockups)),
      ("mockupd_totals_timestamp_seconds", totals.readAt.timeIntervalSince1970),
    ]
    gauges.withLockedValue { gauges in
      for (label, value) in values {
        let gauge = gauges[label] ?? Meter(label: label)
        gauges[label] = gauge
        gauge.set(value)
      }
    }
  }
}
