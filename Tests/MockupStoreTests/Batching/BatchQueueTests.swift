import Postgres
import Synchronization
import Testing

@testable import MockupStore

/// Batches that a test writes by hand: numbers go in, and their squares come out.
private final class Desk: Sendable {
  typealias Queue = BatchQueue<Int, Int>

  /// What was sent and is not written yet.
  private final class Sent: Sendable {
    let batches = Mutex<[Queue.Batch]>([])
    let cancellations = Mutex(0)
  }

  let queue: Queue
  private let sent: Sent

  init(batch: Int = 512, waiting: Int = 4096, joins: @escaping @Sendable (Int, Int) -> Bool) {
    var limits = BatchLimits()
    limits.batch = batch
    limits.waiting = waiting
    let sent = Sent()
    self.sent = sent
    queue = Queue(limits: limits, joins: joins) { batch in
      sent.batches.withLock { $0.append(batch) }
      return { sent.cancellations.withLock { $0 += 1 } }
    }
  }

  convenience init(batch: Int = 512, waiting: Int = 4096) {
    self.init(batch: batch, waiting: waiting) { _, _ in true }
  }

  var cancellations: Int { sent.cancellations.withLock { $0 } }

  var sentCount: Int { sent.batches.withLock { $0.count } }

  /// Has numbers written, one after the other in the queue.
  func submit(_ numbers: [Int]) async -> [Task<Int, any Error>] {
    var tasks: [Task<Int, any Error>] = []
    for number in numbers {
      let before = queue.waitingCount
      tasks.append(Task { [queue] in try await queue.submit(number) })
      while queue.waitingCount == before { await Task.yield() }
    }
    return tasks
  }

  /// The next batch, once it has been sent.
  func next() async -> Queue.Batch {
    while true {
      let batch = sent.batches.withLock { $0.isEmpty ? nil : $0.removeFirst() }
      if let batch { return batch }
      await Task.yield()
    }
  }

  /// Writes the next batch, and returns what was in it.
  func write() async -> [Int] {
    let batch = await next()
    let items = batch.items
    batch.finish(.success(items.map { $0 * $0 }))
    return items
  }

  /// Refuses the next batch, and returns what was in it.
  func refuse(_ error: PostgresError) async -> [Int] {
    let batch = await next()
    let items = batch.items
    batch.finish(.failure(error))
    return items
  }
}

@Suite(.timeLimit(.minutes(15))) struct BatchQueueTests {
  private static let broken = PostgresError(.connectionLost, "gone")
  private static let wrong = PostgresError(.encoding, "no place for it")
  private static let lost = PostgresError(.server(.deadlockDetected), "in the way of another")

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

  @Test func whatComesBeforeItsTurnGoesTogetherAndWhatComesAfterItWaits() async throws {
    let desk = Desk()
    let early = await desk.submit([1, 2, 3])
    let batch = await desk.next()
    #expect(batch.items == [1, 2, 3])
    let late = await desk.submit([4, 5])
    #expect(batch.items == [1, 2, 3])
    #expect(desk.sentCount == 0)
    batch.finish(.success([10, 20, 30]))
    #expect(try await values(early) == [10, 20, 30])
    #expect(await desk.write() == [4, 5])
    #expect(try await values(late) == [16, 25])
    let last = await desk.submit([6])
    #expect(await desk.write() == [6])
    #expect(try await values(last) == [36])
  }

  @Test func aBatchIsNoLargerThanItsLimit() async throws {
    let desk = Desk(batch: 2)
    let tasks = await desk.submit([1, 2, 3, 4, 5])
    #expect(await desk.write() == [1, 2])
    #expect(await desk.write() == [3, 4])
    #expect(await desk.write() == [5])
    #expect(try await values(tasks) == [1, 4, 9, 16, 25])
  }

  @Test func whatDoesNotJoinBeginsTheNextBatch() async throws {
    let desk = Desk { $0.isMultiple(of: 2) == $1.isMultiple(of: 2) }
    let tasks = await desk.submit([1, 2, 3, 4])
    #expect(await desk.write() == [1, 3])
    #expect(await desk.write() == [2, 4])
    #expect(try await values(tasks) == [1, 4, 9, 16])
  }

  @Test func oneMoreThanMayWaitIsRefusedAtOnceAndTheOthersAreNot() async throws {
    let desk = Desk(waiting: 2)
    let first = await desk.submit([1])
    let batch = await desk.next()
    #expect(batch.items == [1])
    let waiting = await desk.submit([2, 3])
    #expect(await code(Task { try await desk.queue.submit(4) }) == .queueFull)
    batch.finish(.success([1]))
    #expect(await desk.write() == [2, 3])
    #expect(try await values(first + waiting) == [1, 4, 9])
  }

  @Test func whoGivesUpBeforeTheBatchIsSentIsNotInIt() async throws {
    let desk = Desk(waiting: 3)
    let tasks = await desk.submit([1, 2, 3])
    tasks[1].cancel()
    #expect(await code(tasks[1]) == .cancelled)
    // Its place is free again.
    let more = await desk.submit([4])
    #expect(await desk.write() == [1, 3, 4])
    #expect(try await values([tasks[0], tasks[2]] + more) == [1, 9, 16])
  }

  @Test func whoGivesUpAfterwardsIsAnsweredAtOnceAndTheOthersFromTheBatch() async throws {
    let desk = Desk()
    let tasks = await desk.submit([1, 2])
    let batch = await desk.next()
    #expect(batch.items == [1, 2])
    tasks[0].cancel()
    #expect(await code(tasks[0]) == .cancelled)
    batch.finish(.success([1, 4]))
    #expect(try await tasks[1].value == 4)
  }

  @Test func aQueueThatAllHaveLeftIsFitForTheNext() async throws {
    let desk = Desk()
    let tasks = await desk.submit([1, 2])
    for task in tasks {
      task.cancel()
      #expect(await code(task) == .cancelled)
    }
    #expect(await desk.refuse(PostgresError(.cancelled, "nobody wants it")) == [])
    let next = await desk.submit([3])
    #expect(await desk.write() == [3])
    #expect(try await values(next) == [9])
  }

  @Test func anItemThatIsWrongFailsAloneWhereverItStands() async throws {
    for wrong in 1...5 {
      let desk = Desk()
      let tasks = await desk.submit([1, 2, 3, 4, 5])
      let late = await desk.submit([6])
      var written: [Int] = []
      while written.count < 5 {
        let batch = await desk.next()
        let items = batch.items
        if items.contains(wrong) {
          batch.finish(.failure(Self.wrong))
        } else {
          written += items
          batch.finish(.success(items.map { $0 * $0 }))
        }
      }
      for (index, task) in (tasks + late).enumerated() {
        if index + 1 == wrong {
          #expect(await code(task) == .encoding)
        } else {
          #expect(try await task.value == (index + 1) * (index + 1))
        }
      }
      #expect(Set(written) == Set(1...6).subtracting([wrong]))
    }
  }

  @Test func aBatchThatAllHaveLeftIsCancelledAndNoOther() async throws {
    let desk = Desk()
    let tasks = await desk.submit([1, 2, 3, 4])
    let whole = await desk.next()
    #expect(whole.items == [1, 2, 3, 4])
    whole.finish(.failure(Self.wrong))
    let half = await desk.next()
    #expect(half.items == [1, 2])
    // Theirs has yet to be sent.
    for task in tasks[2...] {
      task.cancel()
      #expect(await code(task) == .cancelled)
    }
    #expect(desk.cancellations == 0)
    tasks[0].cancel()
    #expect(await code(tasks[0]) == .cancelled)
    #expect(desk.cancellations == 0)
    tasks[1].cancel()
    #expect(await code(tasks[1]) == .cancelled)
    #expect(desk.cancellations == 1)
    half.finish(.failure(PostgresError(.cancelled, "nobody wants it")))
    let next = await desk.submit([5])
    #expect(await desk.write() == [5])
    #expect(try await values(next) == [25])
    #expect(desk.cancellations == 1)
  }

  @Test func thoseWhoAskAndGiveUpWithoutEndTakeNoRoom() async throws {
    let desk = Desk(waiting: 10)
    let first = await desk.submit([0])
    let batch = await desk.next()
    #expect(batch.items == [0])
    let waiting = await desk.submit([1])
    for _ in 0..<1000 {
      let task = await desk.submit([2])[0]
      task.cancel()
      #expect(await code(task) == .cancelled)
    }
    #expect(desk.queue.waitingTickets < 100)
    batch.finish(.success([0]))
    #expect(await desk.write() == [1])
    #expect(try await values(first + waiting) == [0, 1])
  }

  @Test func aBatchThatLostAgainstAnotherIsSentAgain() async throws {
    let desk = Desk()
    let tasks = await desk.submit([1, 2])
    for _ in 1..<maximumAttempts { #expect(await desk.refuse(Self.lost) == [1, 2]) }
    #expect(await desk.write() == [1, 2])
    #expect(try await values(tasks) == [1, 4])
  }

  @Test func aBatchThatLosesAgainAndAgainIsAnsweredSo() async throws {
    let desk = Desk()
    let tasks = await desk.submit([1, 2])
    for _ in 1...maximumAttempts { #expect(await desk.refuse(Self.lost) == [1, 2]) }
    for task in tasks { #expect(await code(task) == .server(.deadlockDetected)) }
    let next = await desk.submit([3])
    #expect(await desk.write() == [3])
    #expect(try await values(next) == [9])
  }

  @Test func eachHalfHasAttemptsOfItsOwn() async throws {
    let desk = Desk()
    let tasks = await desk.submit([1, 2])
    for _ in 1..<maximumAttempts { #expect(await desk.refuse(Self.lost) == [1, 2]) }
    #expect(await desk.refuse(Self.wrong) == [1, 2])
    for half in [1, 2] {
      for _ in 1..<maximumAttempts { #expect(await desk.refuse(Self.lost) == [half]) }
      #expect(await desk.write() == [half])
    }
    #expect(try await values(tasks) == [1, 4])
  }

  @Test func aBatchThatLostItsConnectionIsNotSentAgain() async throws {
    let desk = Desk()
    let tasks = await desk.submit([1, 2])
    let batch = await desk.next()
    #expect(batch.items == [1, 2])
    let late = await desk.submit([3])
    batch.finish(.failure(Self.broken))
    for task in tasks { #expect(await code(task) == .connectionLost) }
    #expect(await desk.write() == [3])
    #expect(try await values(late) == [9])
  }

  @Test func withoutAConnectionAllWhoWaitAreToldSo() async throws {
    let desk = Desk(waiting: 3)
    let tasks = await desk.submit([1, 2, 3])
    let batch = await desk.next()
    batch.finish(.failure(PostgresError(.connectionUnavailable, "away")))
    for task in tasks { #expect(await code(task) == .connectionUnavailable) }
    // They have left their room to others.
    let next = await desk.submit([4, 5, 6])
    #expect(await desk.write() == [4, 5, 6])
    #expect(try await values(next) == [16, 25, 36])
  }

  @Test func whoGivesUpWhatWasAnsweredIsNotAnsweredAgain() async throws {
    let desk = Desk()
    let answers = Mutex(0)
    let giveUp = try desk.queue.submit(1) { _ in answers.withLock { $0 += 1 } }
    #expect(await desk.write() == [1])
    giveUp()
    #expect(answers.withLock { $0 } == 1)
  }

  @Test func aBatchThatAllLeaveWhileItIsSentIsCancelled() async throws {
    let sent = Mutex<[BatchQueue<Int, Int>.Batch]>([])
    let leave = Mutex<(@Sendable () -> Void)?>(nil)
    let cancellations = Mutex(0)
    let queue = BatchQueue<Int, Int>(limits: BatchLimits()) { batch in
      if batch.items == [2] { leave.withLock { $0 }?() }
      sent.withLock { $0.append(batch) }
      return { cancellations.withLock { $0 += 1 } }
    }
    _ = try queue.submit(1) { _ in }
    let giveUp = try queue.submit(2) { _ in }
    leave.withLock { $0 = giveUp }
    sent.withLock { $0[0] }.finish(.success([1]))
    #expect(sent.withLock { $0.count } == 2)
    #expect(cancellations.withLock { $0 } == 1)
  }

  @Test func aBatchIsAnsweredOnce() async throws {
    let desk = Desk()
    let tasks = await desk.submit([1])
    let batch = await desk.next()
    #expect(batch.items == [1])
    batch.finish(.success([1]))
    batch.finish(.failure(Self.broken))
    #expect(try await values(tasks) == [1])
    let next = await desk.submit([2])
    batch.finish(.failure(Self.broken))
    #expect(await desk.write() == [2])
    #expect(try await values(next) == [4])
  }
}
