import FoundationEssentials
import MockupClient
import Synchronization
import TestSupport
import Testing

/// Callers of `withReservation` whose task is cancelled, and connections that close meanwhile.
extension WithReservationTests {
  /// Cancels the current task.
  private static func cancelThisTask() {
    unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
  }

  @Test func `a cancelled task still commits`() async throws {
    try await ServedUser.with(annualBudget: 100) { client, user, _, _ in
      for round in 1...20 {
        let task = Task {
          try await client.credits.withReservation(for: user, credits: 3) { _ in
            Self.cancelThisTask()
            return .commit(credits: 2, Task.isCancelled)
          }
        }
        let settled = try await task.value
        #expect(settled.value)
        #expect(settled.committed == 2)
        #expect(settled.usage.totalUsed == Int64(2 * round))
        #expect(settled.usage.held == 0)
      }
    }
  }

  @Test(arguments: [false, true])
  func `a cancelled task still releases`(throwsError: Bool) async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      for _ in 1...20 {
        let id = UUID()
        let task = Task {
          try await client.credits.withReservation(for: user, credits: 10, id: id) { _ in
            Self.cancelThisTask()
            if throwsError { throw TestError() }
            return .release(())
          }
        }
        if throwsError {
          await #expect(throws: TestError.self) { try await task.value }
        } else {
          _ = try await task.value
        }
        #expect(try await client.credits.reservation(id, of: user).state == .released)
      }
    }
  }

  @Test func `a caller that is cancelled while it reserves leaves no credits held`() async throws {
    try await ServedUser.with(annualBudget: 10) { client, user, _, _ in
      for _ in 1...20 {
        let task = Task {
          Self.cancelThisTask()
          return try await client.credits.withReservation(for: user, credits: 10) { _ in
            Issue.record("the closure ran")
            return .commitAll(())
          }
        }
        await #expect(throws: RPCError.self) { try await task.value }
        let usage = try await client.credits.usage(of: user)
        #expect(usage.held == 0)
      }
    }
  }

  /// An interceptor that cancels the caller of the first call when its response has arrived.
  private final class CancellingInterceptor: ClientInterceptor {
    private let hasCancelled = Atomic(false)

    func intercept(
      _ context: ClientContext, next: (ClientContext) async throws(RPCError) -> Void
    ) async throws(RPCError) {
      try await next(context)
      if !hasCancelled.exchange(true, ordering: .relaxed) {
        WithReservationTests.cancelThisTask()
      }
    }
  }

  @Test(arguments: [false, true])
  func `the closure of a cancelled caller does not run`(isGeneratedID: Bool) async throws {
    try await ServedUser.with(annualBudget: 10) { _, user, _, server in
      var configuration = MockupClient.Configuration(timeout: testTimeout)
      configuration.connection.interceptors = [CancellingInterceptor()]
      try await MockupClient.withConnection(
        to: .unixSocket(path: server.socket), configuration: configuration
      ) { client in
        let task = Task {
          try await client.credits.withReservation(
            for: user, credits: 4, id: isGeneratedID ? nil : UUID()
          ) { _ in
            Issue.record("the closure ran")
            return .commitAll(())
          }
        }
        let error = await #expect(throws: RPCError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        let usage = try await client.credits.usage(of: user)
        #expect(usage.held == (isGeneratedID ? 0 : 4))
      }
    }
  }

  @Test func `a caller that is cancelled while it reserves can retry with the same id`()
    async throws
  {
    try await ServedUser.with(annualBudget: 100) { client, user, _, _ in
      for round in 1...20 {
        let id = UUID()
        let task = Task {
          Self.cancelThisTask()
          return try await client.credits.withReservation(for: user, credits: 2, id: id) { _ in
            .commitAll(())
          }
        }
        await #expect(throws: RPCError.self) { try await task.value }
        let settled = try await client.credits.withReservation(for: user, credits: 2, id: id) { _ in
          .commitAll(())
        }
        #expect(settled.committed == 2)
        #expect(settled.usage.totalUsed == Int64(2 * round))
        #expect(settled.usage.held == 0)
      }
    }
  }

  @Test func `a connection closes after the commits in flight`() async throws {
    try await ServedUser.with(annualBudget: 10) { _, user, _, server in
      try await withTemporaryFolder { folder in
        let (arrived, opened) = (Flag(), Flag())
        let proxy = LossyProxy(
          listener: try RawListener(path: "\(folder)/proxy"), server: server.socket)
        let running = Task {
          await proxy.run(losing: 0, of: "CommitReservation") {
            arrived.set()
            try? await opened.wait()
          }
        }
        let task = try await MockupClient.withConnection(
          to: .unixSocket(path: "\(folder)/proxy")
        ) { client in
          let task = Task {
            try await client.credits.withReservation(for: user, credits: 5) { _ in .commitAll(()) }
          }
          try await arrived.wait()
          Task { opened.set() }
          return task
        }
        #expect(try await task.value.committed == 5)
        proxy.listener.stop()
        await running.value
      }
    }
  }
}
