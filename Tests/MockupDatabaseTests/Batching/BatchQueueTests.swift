import Postgres
import Synchronization
import Testing

@testable import MockupDatabase

/// A queue whose batches a test writes by hand: the answer to a number is its square.
final class ManualWriter: Sendable {
  typealias Queue = BatchQueue<Int, Int>

  /// The batches that were sent and are not written yet.
  private final class Sent: Sendable {
    let batches = Mutex<[Queue.Batch]>([])
    let cancellations = Mutex(0)
  }

  let queue: Queue
  private let sent: Sent

  init(
    batch: Int = 512, waiting: Int = 4096, locks: Queue.Locks = .wait,
    onIdle: @escaping @Sendable () -> Void = {},
    joins: @escaping @Sendable (Int, Int) -> Bool
  ) {
    var limits = BatchLimits()
    limits.batch = batch
    limits.waiting = waiting
    let sent = Sent()
    self.sent = sent
    queue = Queue(limits: limits, joins: joins, locks: locks, onIdle: onIdle) { batch in
      sent.batches.withLock { $0.append(batch) }
      return { sent.cancellations.withLock { $0 += 1 } }
    }
  }

  convenience init(batch: Int = 512, waiting: Int = 4096) {
    self.init(batch: batch, waiting: waiting) { _, _ in true }
  }

  var cancellations: Int { sent.cancellations.withLock { $0 } }

  var sentCount: Int { sent.batches.withLock { $0.count } }

  /// Submits numbers in order.
  func submit(_ numbers: [Int]) async -> [Task<Int, any Error>] {
    var tasks: [Task<Int, any Error>] = []
    for number in numbers {
      let before = queue.waitingCount
      tasks.append(Task { [queue] in try await queue.submit(number) })
      while queue.waitingCount == before { await Task.yield() }
    }
    return tasks
  }

  /// Waits for the next batch, and returns it.
  func next() async -> Queue.Batch {
    while true {
      let batch = sent.batches.withLock { $0.isEmpty ? nil : $0.removeFirst() }
      if let batch { return batch }
      await Task.yield()
    }
  }

  /// Writes the next batch, and returns its items.
  func write() async -> [Int] {
    let batch = await next()
    let items = batch.items
    batch.finish(.success(items.map { $0 * $0 }))
    return items
  }

  /// Fails the next batch with an error, and returns its items.
  func fail(_ error: PostgresError) async -> [Int] {
    let batch = await next()
    let items = batch.items
    batch.finish(.failure(error))
    return items
  }
}

@Suite(.timeLimit(.minutes(15))) struct BatchQueueTests {
  private static let connectionLost = PostgresError(.connectionLost, "the connection is lost")
  private static let encodingError = PostgresError(.encoding, "the value cannot be encoded")
  private static let deadlock = PostgresError(.server(.deadlockDetected), "deadlock detected")

  private func values(_ tasks: [Task<Int, any Error>]) async throws -> [Int] {
    var values: [Int] = []
    for task in tasks { values.append(try await task.value) }
    return values
  }

  private func code(_ task: Task<Int, any Error>) async -> PostgresError.Code? {
    do {
      _ = try await task.value
      return nil
    } catch {
      return (error as? PostgresError)?.code
    }
  }

  @Test func `items that arrive before a batch is sent share it and later items wait`() async throws
  {
    let writer = ManualWriter()
    let early = await writer.submit([1, 2, 3])
    let batch = await writer.next()
    #expect(batch.items == [1, 2, 3])
    let late = await writer.submit([4, 5])
    #expect(batch.items == [1, 2, 3])
    #expect(writer.sentCount == 0)
    batch.finish(.success([10, 20, 30]))
    #expect(try await values(early) == [10, 20, 30])
    #expect(await writer.write() == [4, 5])
    #expect(try await values(late) == [16, 25])
    let last = await writer.submit([6])
    #expect(await writer.write() == [6])
    #expect(try await values(last) == [36])
  }

  @Test func `a batch is no larger than its limit`() async throws {
    let writer = ManualWriter(batch: 2)
    let tasks = await writer.submit([1, 2, 3, 4, 5])
    #expect(await writer.write() == [1, 2])
    #expect(await writer.write() == [3, 4])
    #expect(await writer.write() == [5])
    #expect(try await values(tasks) == [1, 4, 9, 16, 25])
  }

  @Test func `an item that cannot join a batch starts the next batch`() async throws {
    let writer = ManualWriter { $0.isMultiple(of: 2) == $1.isMultiple(of: 2) }
    let tasks = await writer.submit([1, 2, 3, 4])
    #expect(await writer.write() == [1, 3])
    #expect(await writer.write() == [2, 4])
    #expect(try await values(tasks) == [1, 4, 9, 16])
  }

  @Test func `an item beyond the queue limit is rejected at once and the others are written`()
    async throws
  {
    let writer = ManualWriter(waiting: 2)
    let first = await writer.submit([1])
    let batch = await writer.next()
    #expect(batch.items == [1])
    let waiting = await writer.submit([2, 3])
    #expect(await code(Task { try await writer.queue.submit(4) }) == .queueFull)
    batch.finish(.success([1]))
    #expect(await writer.write() == [2, 3])
    #expect(try await values(first + waiting) == [1, 4, 9])
  }

  @Test func `an item cancelled before its batch is sent is dropped from it`() async throws {
    let writer = ManualWriter(waiting: 3)
    let tasks = await writer.submit([1, 2, 3])
    tasks[1].cancel()
    #expect(await code(tasks[1]) == .cancelled)
    // The cancelled item no longer counts towards the limit.
    let more = await writer.submit([4])
    #expect(await writer.write() == [1, 3, 4])
    #expect(try await values([tasks[0], tasks[2]] + more) == [1, 9, 16])
  }

  @Test func `cancelling an item in flight fails it at once and no other item`() async throws {
    let writer = ManualWriter()
    let tasks = await writer.submit([1, 2])
    let batch = await writer.next()
    #expect(batch.items == [1, 2])
    tasks[0].cancel()
    #expect(await code(tasks[0]) == .cancelled)
    batch.finish(.success([1, 4]))
    #expect(try await tasks[1].value == 4)
  }

  @Test func `a queue whose items were all cancelled accepts new items`() async throws {
    let writer = ManualWriter()
    let tasks = await writer.submit([1, 2])
    for task in tasks {
      task.cancel()
      #expect(await code(task) == .cancelled)
    }
    #expect(await writer.fail(PostgresError(.cancelled, "every item is cancelled")) == [])
    let next = await writer.submit([3])
    #expect(await writer.write() == [3])
    #expect(try await values(next) == [9])
  }

  @Test func `an invalid item fails alone at any position`() async throws {
    for invalid in 1...5 {
      let writer = ManualWriter()
      let tasks = await writer.submit([1, 2, 3, 4, 5])
      let late = await writer.submit([6])
      var written: [Int] = []
      while written.count < 5 {
        let batch = await writer.next()
        let items = batch.items
        if items.contains(invalid) {
          batch.finish(.failure(Self.encodingError))
        } else {
          written += items
          batch.finish(.success(items.map { $0 * $0 }))
        }
      }
      for (index, task) in (tasks + late).enumerated() {
        if index + 1 == invalid {
          #expect(await code(task) == .encoding)
        } else {
          #expect(try await task.value == (index + 1) * (index + 1))
        }
      }
      #expect(Set(written) == Set(1...6).subtracting([invalid]))
    }
  }

  @Test func `only a batch whose items are all cancelled is cancelled`() async throws {
    let writer = ManualWriter()
    let tasks = await writer.submit([1, 2, 3, 4])
    let whole = await writer.next()
    #expect(whole.items == [1, 2, 3, 4])
    whole.finish(.failure(Self.encodingError))
    let half = await writer.next()
    #expect(half.items == [1, 2])
    // The other half is not sent yet.
    for task in tasks[2...] {
      task.cancel()
      #expect(await code(task) == .cancelled)
    }
    #expect(writer.cancellations == 0)
    tasks[0].cancel()
    #expect(await code(tasks[0]) == .cancelled)
    #expect(writer.cancellations == 0)
    tasks[1].cancel()
    #expect(await code(tasks[1]) == .cancelled)
    #expect(writer.cancellations == 1)
    half.finish(.failure(PostgresError(.cancelled, "every item is cancelled")))
    let next = await writer.submit([5])
    #expect(await writer.write() == [5])
    #expect(try await values(next) == [25])
    #expect(writer.cancellations == 1)
  }

  @Test func `cancelled items take no capacity`() async throws {
    let writer = ManualWriter(waiting: 10)
    let first = await writer.submit([0])
    let batch = await writer.next()
    #expect(batch.items == [0])
    let waiting = await writer.submit([1])
    for _ in 0..<1000 {
      let task = await writer.submit([2])[0]
      task.cancel()
      #expect(await code(task) == .cancelled)
    }
    #expect(writer.queue.waitingTickets < 100)
    batch.finish(.success([0]))
    #expect(await writer.write() == [1])
    #expect(try await values(first + waiting) == [0, 1])
  }

  @Test func `a batch is retried after a deadlock`() async throws {
    let writer = ManualWriter()
    let tasks = await writer.submit([1, 2])
    for _ in 1..<maximumAttempts { #expect(await writer.fail(Self.deadlock) == [1, 2]) }
    #expect(await writer.write() == [1, 2])
    #expect(try await values(tasks) == [1, 4])
  }

  @Test func `a batch fails after its last attempt`() async throws {
    let writer = ManualWriter()
    let tasks = await writer.submit([1, 2])
    for _ in 1...maximumAttempts { #expect(await writer.fail(Self.deadlock) == [1, 2]) }
    for task in tasks { #expect(await code(task) == .server(.deadlockDetected)) }
    let next = await writer.submit([3])
    #expect(await writer.write() == [3])
    #expect(try await values(next) == [9])
  }

  @Test func `each half of a split batch has its own attempts`() async throws {
    let writer = ManualWriter()
    let tasks = await writer.submit([1, 2])
    for _ in 1..<maximumAttempts { #expect(await writer.fail(Self.deadlock) == [1, 2]) }
    #expect(await writer.fail(Self.encodingError) == [1, 2])
    for half in [1, 2] {
      for _ in 1..<maximumAttempts { #expect(await writer.fail(Self.deadlock) == [half]) }
      #expect(await writer.write() == [half])
    }
    #expect(try await values(tasks) == [1, 4])
  }

  @Test func `a batch is not retried after its connection is lost`() async throws {
    let writer = ManualWriter()
    let tasks = await writer.submit([1, 2])
    let batch = await writer.next()
    #expect(batch.items == [1, 2])
    let late = await writer.submit([3])
    batch.finish(.failure(Self.connectionLost))
    for task in tasks { #expect(await code(task) == .connectionLost) }
    #expect(await writer.write() == [3])
    #expect(try await values(late) == [9])
  }

  @Test func `without a connection all waiting items fail`() async throws {
    let writer = ManualWriter(waiting: 3)
    let tasks = await writer.submit([1, 2, 3])
    let batch = await writer.next()
    batch.finish(.failure(PostgresError(.connectionUnavailable, "the database is unreachable")))
    for task in tasks { #expect(await code(task) == .connectionUnavailable) }
    // The failed items no longer count towards the limit.
    let next = await writer.submit([4, 5, 6])
    #expect(await writer.write() == [4, 5, 6])
    #expect(try await values(next) == [16, 25, 36])
  }

  @Test func `cancelling an answered item does not answer it again`() async throws {
    let writer = ManualWriter()
    let answers = Mutex(0)
    let cancel = try writer.queue.submit(1) { _ in answers.withLock { $0 += 1 } }
    #expect(await writer.write() == [1])
    cancel()
    #expect(answers.withLock { $0 } == 1)
  }

  @Test func `a batch whose items are all cancelled while it is sent is cancelled`() async throws {
    let sent = Mutex<[BatchQueue<Int, Int>.Batch]>([])
    let cancelItem = Mutex<(@Sendable () -> Void)?>(nil)
    let cancellations = Mutex(0)
    let queue = BatchQueue<Int, Int>(limits: BatchLimits(), locks: .wait) { batch in
      if batch.items == [2] { cancelItem.withLock { $0 }?() }
      sent.withLock { $0.append(batch) }
      return { cancellations.withLock { $0 += 1 } }
    }
    _ = try queue.submit(1) { _ in }
    let cancel = try queue.submit(2) { _ in }
    cancelItem.withLock { $0 = cancel }
    sent.withLock { $0[0] }.finish(.success([1]))
    #expect(sent.withLock { $0.count } == 2)
    #expect(cancellations.withLock { $0 } == 1)
  }

  @Test func `a batch is answered once`() async throws {
    let writer = ManualWriter()
    let tasks = await writer.submit([1])
    let batch = await writer.next()
    #expect(batch.items == [1])
    batch.finish(.success([1]))
    batch.finish(.failure(Self.connectionLost))
    #expect(try await values(tasks) == [1])
    let next = await writer.submit([2])
    batch.finish(.failure(Self.connectionLost))
    #expect(await writer.write() == [2])
    #expect(try await values(next) == [4])
  }
}
