import FoundationEssentials
import MockupCore
import MockupDatabase
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

@Suite struct BatchWriterTests {
  /// Records the sizes of the batches that were sent.
  private final class Sizes: ChangeObserver {
    let values = NIOLockedValueBox<[Int]>([])

    func batchWasSent(of queue: WriteQueue, size: Int, wait: Duration) {
      values.withLockedValue { $0.append(size) }
    }

    func batchEnded(of queue: WriteQueue, after time: Duration) {}

    func changeWasAnswered(_ kind: ChangeKind, _ result: ChangeResult) {}
  }

  @Test func `changes that wait for a connection in vain are not counted as sent`() async throws {
    try await withTemporaryFolder { folder in
      // It accepts connections and never answers.
      let listener = try RawListener(path: "\(folder)/.s.PGSQL.5432")
      var configuration = PostgresConfiguration(
        url: "postgresql:///mockups?host=\(folder)", applicationName: "tests")
      configuration.connectTimeout = testTimeout
      let pool = try Pool(configuration: configuration)
      let run = Task { await pool.run() }
      let sizes = Sizes()
      let store = CreditStore(pool: pool, observer: sizes)
      let call = Task {
        try await store.reserve(ReservationRequest(userID: UUID(), id: UUID(), credits: 1))
      }
      try await eventually("the batch waits for a connection") { pool.pendingCount == 1 }
      pool.suspend(because: PostgresError(.connectionUnavailable, "suspended"))
      await #expect(throws: CreditError.self) { try await call.value }
      #expect(sizes.values.withLockedValue { $0 } == [])
      pool.shutdown()
      await run.value
      listener.stop()
    }
  }
}
