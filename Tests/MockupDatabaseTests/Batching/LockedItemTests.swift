import Postgres
import Synchronization
import Testing

@testable import MockupDatabase

/// Items of a queue whose rows another session has locked.
@Suite(.timeLimit(.minutes(15))) struct LockedItemTests {
  private static let locked = PostgresError(.server(.lockNotAvailable), "canceling statement")

  /// A value that closures can capture.
  private final class Box<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    func withLockedValue<Result>(_ body: (inout Value) -> Result) -> Result {
      value.withLock { body(&$0) }
    }
  }

  /// A queue that diverts locked numbers to another one.
  private final class Fixture: Sendable {
    /// The numbers that are known to be locked.
    let known = Box<Set<Int>>([])
    /// The searches for locked numbers that wait for an answer.
    let searches = Box<[(items: [Int], completion: @Sendable ([Bool]) -> Void)]>([])
    let apart = ManualWriter(locks: .wait) { _, _ in true }
    let writer = Box<ManualWriter?>(nil)

    var main: ManualWriter {
      writer.withLockedValue { writer in
        if let writer { return writer }
        let made = ManualWriter(
          locks: .divert(
            ManualWriter.Queue.Diversion(
              isLocked: { [known] item in known.withLockedValue { $0.contains(item) } },
              find: { [searches] items, completion in
                searches.withLockedValue { $0.append((items, completion)) }
              },
              queue: { [known, apart] item in
                _ = known.withLockedValue { $0.insert(item) }
                return apart.queue
              }))
        ) { _, _ in true }
        writer = made
        return made
      }
    }

    /// Answers the next search, and returns the numbers that were searched.
    func answer(_ locked: Set<Int>) async -> [Int] {
      while true {
        let search = searches.withLockedValue { $0.isEmpty ? nil : $0.removeFirst() }
        if let (items, completion) = search {
          completion(items.map { locked.contains($0) })
          return items
        }
        await Task.yield()
      }
    }
  }

  private func values(_ tasks: [Task<Int, any Error>]) async throws -> [Int] {
    var values: [Int] = []
    for task in tasks { values.append(try await task.value) }
    return values
  }

  @Test func `locked items wait in another queue and the others are written`() async throws {
    let fixture = Fixture()
    let tasks = await fixture.main.submit([1, 2, 3, 4])
    #expect(await fixture.main.fail(Self.locked) == [1, 2, 3, 4])
    #expect(await fixture.answer([2, 4]) == [1, 2, 3, 4])
    #expect(await fixture.main.write() == [1, 3])
    #expect(try await tasks[0].value == 1)
    #expect(try await tasks[2].value == 9)
    while fixture.apart.queue.waitingCount < 2 { await Task.yield() }
    #expect(await fixture.apart.fail(Self.locked) == [2, 4])
    #expect(await fixture.apart.write() == [2, 4])
    #expect(try await values(tasks) == [1, 4, 9, 16])
  }

  @Test func `an item that is known to be locked is not sent`() async throws {
    let fixture = Fixture()
    let first = await fixture.main.submit([1])
    let batch = await fixture.main.next()
    #expect(batch.items == [1])
    let tasks = await fixture.main.submit([2, 3, 4])
    fixture.known.withLockedValue { $0 = [3] }
    batch.finish(.success([1]))
    #expect(await fixture.main.write() == [2, 4])
    #expect(await fixture.apart.write() == [3])
    #expect(try await values(first + tasks) == [1, 4, 9, 16])
    #expect(fixture.main.queue.waitingTickets == 0)
  }

  @Test func `a lock that is not found is found by halves`() async throws {
    let fixture = Fixture()
    let tasks = await fixture.main.submit([1, 2, 3])
    #expect(await fixture.main.fail(Self.locked) == [1, 2, 3])
    #expect(await fixture.answer([]) == [1, 2, 3])
    #expect(await fixture.main.fail(Self.locked) == [1])
    #expect(await fixture.main.write() == [2, 3])
    #expect(await fixture.apart.write() == [1])
    #expect(try await values(tasks) == [1, 4, 9])
  }

  @Test func `cancelling a locked item cancels it in the other queue`() async throws {
    let fixture = Fixture()
    let tasks = await fixture.main.submit([1, 2])
    #expect(await fixture.main.fail(Self.locked) == [1, 2])
    #expect(await fixture.answer([1, 2]) == [1, 2])
    let batch = await fixture.apart.next()
    while fixture.apart.queue.waitingCount < 2 { await Task.yield() }
    tasks[1].cancel()
    await #expect(throws: PostgresError.self) { try await tasks[1].value }
    while fixture.apart.queue.waitingCount > 1 { await Task.yield() }
    #expect(batch.items == [1])
    batch.finish(.success([1]))
    #expect(try await tasks[0].value == 1)
    #expect(fixture.apart.sentCount == 0)
    // The queue goes on.
    let next = await fixture.main.submit([5])
    #expect(await fixture.main.write() == [5])
    #expect(try await values(next) == [25])
  }

  @Test func `an item cancelled during the search is not diverted`() async throws {
    let fixture = Fixture()
    let tasks = await fixture.main.submit([1, 2])
    #expect(await fixture.main.fail(Self.locked) == [1, 2])
    tasks[0].cancel()
    await #expect(throws: PostgresError.self) { try await tasks[0].value }
    #expect(await fixture.answer([1]) == [1, 2])
    #expect(await fixture.main.write() == [2])
    #expect(try await tasks[1].value == 4)
    #expect(fixture.known.withLockedValue { $0 } == [])
  }

  @Test func `a queue that waits sends a batch again until it gets the lock`() async throws {
    let idle = Box(0)
    let writer = ManualWriter(locks: .wait, onIdle: { idle.withLockedValue { $0 += 1 } }) { _, _ in
      true
    }
    let tasks = await writer.submit([1])
    for _ in 0..<maximumLockedAttempts { #expect(await writer.fail(Self.locked) == [1]) }
    let late = await writer.submit([2])
    #expect(await writer.write() == [1])
    #expect(await writer.write() == [2])
    #expect(try await values(tasks + late) == [1, 4])
    #expect(idle.withLockedValue { $0 } == 1)
  }

  @Test func `a queue that waits gives up in the end and goes on`() async throws {
    let writer = ManualWriter(locks: .wait) { _, _ in true }
    let tasks = await writer.submit([1])
    for _ in 0...maximumLockedAttempts { #expect(await writer.fail(Self.locked) == [1]) }
    await #expect(throws: Self.locked) { try await tasks[0].value }
    let late = await writer.submit([2])
    #expect(await writer.fail(Self.locked) == [2])
    #expect(await writer.write() == [2])
    #expect(try await values(late) == [4])
  }

  @Test func `a queue that cannot find locked items divides a batch until it has them`()
    async throws
  {
    let apart = ManualWriter(locks: .wait) { _, _ in true }
    let diversion = ManualWriter.Queue.Diversion(queue: { _ in apart.queue })
    let writer = ManualWriter(locks: .divert(diversion)) { _, _ in true }
    let tasks = await writer.submit([1, 2])
    #expect(await writer.fail(Self.locked) == [1, 2])
    #expect(await writer.fail(Self.locked) == [1])
    #expect(await writer.write() == [2])
    #expect(await apart.write() == [1])
    #expect(try await values(tasks) == [1, 4])
  }
}
