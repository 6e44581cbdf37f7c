import Testing

@testable import Postgres

@Suite("What the results of a pipeline mean")
struct PipelineTests {
  typealias TestPipeline = Pipeline<String, Int>

  /// A pipeline with statements of its own transactions in flight.
  private func pipeline(_ items: (String, TestPipeline.Shape)...) -> TestPipeline {
    var pipeline = TestPipeline()
    for (item, shape) in items { pipeline.sent(item, as: shape, isRepeatable: true) }
    return pipeline
  }

  private func failure(
    _ state: String,
    _ message: String = "failed",
    severity: String = "ERROR",
    routine: String? = nil
  ) -> TestPipeline.Reply {
    .failed(
      ServerFields(
        severity: severity,
        sqlState: SQLState(state),
        message: message,
        routine: routine
      )
    )
  }

  private let canceled = "canceling statement due to user request"

  /// Feeds replies in and tells what was to be done, one word each.
  private func actions(
    _ pipeline: inout TestPipeline,
    _ replies: TestPipeline.Reply...
  ) -> [String] {
    replies.compactMap { reply in
      switch pipeline.received(reply) {
      case .none: nil
      case .prepared(let item): "prepared \(item)"
      case .notPrepared(let item): "not prepared \(item)"
      case .finishStale(let item, let error): "\(item) \(error.code) stale"
      case .finish(let item, .success(let value)): "\(item) = \(value)"
      case .finish(let item, .failure(let error)): "\(item) \(error.code)"
      case .sendAgain(let item, let anew): "again \(item)\(anew ? " anew" : "")"
      case .giveUp: "give up"
      }
    }
  }

  @Test("A statement is finished at its sync, not at its result")
  func finishesAtSync() {
    var pipeline = pipeline(("a", .execute), ("b", .execute))
    #expect(actions(&pipeline, .completed(1), .end) == [])
    #expect(actions(&pipeline, .synchronized) == ["a = 1"])
    #expect(actions(&pipeline, .completed(2), .end, .synchronized) == ["b = 2"])
    #expect(pipeline.isEmpty)
  }

  @Test("An error ends at its own sync")
  func errorIsIsolated() {
    var pipeline = pipeline(("a", .execute), ("b", .execute))
    let all = actions(
      &pipeline,
      failure("23505"),
      .end,
      .synchronized,
      .completed(2),
      .end,
      .synchronized
    )
    #expect(all == ["a server(23505)", "b = 2"])
  }

  @Test("A constraint that is refused at the sync is the statement's error")
  func deferredError() {
    var pipeline = pipeline(("a", .execute))
    let all = actions(&pipeline, .completed(1), .end, failure("23503"), .end, .synchronized)
    #expect(all == ["a server(23503)"])
  }

  @Test("A preparation comes before its execution")
  func prepares() {
    var pipeline = pipeline(("a", .prepareAndExecute))
    let all = actions(&pipeline, .completed(0), .end, .completed(1), .end, .synchronized)
    #expect(all == ["prepared a", "a = 1"])
  }

  @Test("A statement that relied on a preparation that failed is sent again with its own")
  func relyingOnFailedPreparation() {
    var pipeline = pipeline(("a", .prepareAndExecute), ("b", .execute))
    let all = actions(
      &pipeline,
      failure("42P01"),
      .end,
      .skipped,
      .end,
      .synchronized,
      failure("26000"),
      .end,
      .synchronized
    )
    #expect(all == ["not prepared a", "a server(42P01)", "again b anew"])
  }

  @Test("A plan that no longer fits the tables is made anew")
  func stalePlan() {
    var pipeline = pipeline(("a", .execute))
    let stale = failure("0A000", routine: "RevalidateCachedQuery")
    #expect(actions(&pipeline, stale, .end, .synchronized) == ["again a anew"])
  }

  @Test
  func `a statement whose plan is a problem is sent again, but not after the plans were discarded`()
  {
    for (state, stale) in [("42804", " stale"), ("26000", ""), ("42P05", "")] {
      var pipeline = TestPipeline()
      pipeline.sent("a", as: .execute, isRepeatable: true)
      pipeline.sent("b", as: .execute, isRepeatable: false)
      pipeline.sent("c", as: .execute, isRepeatable: true, hasFreshPlans: true)
      #expect(actions(&pipeline, failure(state), .end, .synchronized) == ["again a anew"])
      #expect(
        actions(&pipeline, failure(state), .end, .synchronized) == ["b server(\(state))\(stale)"])
      #expect(actions(&pipeline, failure(state), .end, .synchronized) == ["c server(\(state))"])
    }
  }

  @Test("A cancelled head ends as cancelled, and its neighbour is unharmed")
  func cancelsHead() {
    var pipeline = pipeline(("a", .execute), ("b", .execute))
    #expect(pipeline.cancel { $0 == "a" })
    #expect(pipeline.isHeadCancelled)
    pipeline.cancelSent()
    #expect(actions(&pipeline, failure("57014", canceled), .end, .synchronized) == ["a cancelled"])
    #expect(!pipeline.isHeadCancelled)
    #expect(actions(&pipeline, .completed(2), .end, .synchronized) == ["b = 2"])
  }

  @Test("A cancelled statement is the server's business only when it is the head")
  func cancelsLater() {
    var pipeline = pipeline(("a", .execute), ("b", .execute))
    #expect(pipeline.cancel { $0 == "b" })
    #expect(!pipeline.isHeadCancelled)
    #expect(actions(&pipeline, .completed(1), .end, .synchronized) == ["a = 1"])
    #expect(pipeline.isHeadCancelled)
  }

  @Test("A statement that finished before its cancellation came keeps its result")
  func cancelledTooLate() {
    var pipeline = pipeline(("a", .execute))
    #expect(pipeline.cancel { $0 == "a" })
    pipeline.cancelSent()
    #expect(actions(&pipeline, .completed(1), .end, .synchronized) == ["a = 1"])
  }

  @Test("Statements hit by a predecessor's cancellation are sent again: it can hit two")
  func strayCancellation() {
    var pipeline = pipeline(("a", .execute), ("b", .execute), ("c", .execute), ("d", .execute))
    #expect(pipeline.cancel { $0 == "a" })
    pipeline.cancelSent()
    #expect(actions(&pipeline, .completed(1), .end, .synchronized) == ["a = 1"])
    let hits = (0..<3).flatMap { _ in
      actions(&pipeline, failure("57014", canceled), .end, .synchronized)
    }
    #expect(hits == ["again b", "again c", "d server(57014)"])
  }

  @Test("A cancellation hits nobody once the pipeline was empty")
  func strayCancellationOfAnEmptyPipeline() {
    var pipeline = pipeline(("a", .execute))
    #expect(pipeline.cancel { $0 == "a" })
    pipeline.cancelSent()
    #expect(actions(&pipeline, .completed(1), .end, .synchronized) == ["a = 1"])
    pipeline.sent("b", as: .execute, isRepeatable: true)
    let all = actions(&pipeline, failure("57014", canceled), .end, .synchronized)
    #expect(all == ["b server(57014)"])
  }

  @Test("A statement timeout is never mistaken for somebody's cancellation")
  func statementTimeout() {
    var pipeline = pipeline(("a", .execute), ("b", .execute))
    #expect(pipeline.cancel { $0 == "a" })
    pipeline.cancelSent()
    let all = actions(
      &pipeline,
      .completed(1),
      .end,
      .synchronized,
      failure("57014", "canceling statement due to statement timeout"),
      .end,
      .synchronized
    )
    #expect(all == ["a = 1", "b timedOut"])
  }

  @Test("A statement of a transaction is never sent again")
  func transactional() {
    var pipeline = pipeline(("a", .execute))
    pipeline.sent("b", as: .execute, isRepeatable: false)
    #expect(pipeline.cancel { $0 == "a" })
    pipeline.cancelSent()
    let all = actions(
      &pipeline,
      .completed(1),
      .end,
      .synchronized,
      failure("57014", canceled),
      .end,
      .synchronized
    )
    #expect(all == ["a = 1", "b server(57014)"])
  }

  @Test("A script is alone, ends with its last result, and fails with its first error")
  func script() {
    var pipeline = pipeline(("a", .execute))
    #expect(!pipeline.accepts(.script))
    _ = actions(&pipeline, .completed(1), .end, .synchronized)
    #expect(pipeline.accepts(.script))
    pipeline.sent("s", as: .script, isRepeatable: false)
    #expect(!pipeline.accepts(.execute))
    #expect(actions(&pipeline, .completed(1), .completed(2), .end) == ["s = 2"])
    pipeline.sent("t", as: .script, isRepeatable: false)
    #expect(
      actions(&pipeline, .completed(1), failure("42601"), failure("25P02"), .end)
        == ["t server(42601)"]
    )
  }

  @Test("A result out of turn ends the connection")
  func outOfTurn() {
    var idle = pipeline()
    #expect(actions(&idle, .completed(1)) == ["give up"])
    var early = pipeline(("a", .execute))
    #expect(actions(&early, .synchronized) == ["give up"])
    var twice = pipeline(("a", .execute))
    #expect(actions(&twice, .completed(1), .completed(1)) == ["give up"])
    var skipped = pipeline(("a", .execute))
    #expect(actions(&skipped, .skipped) == ["give up"])
  }
}

@Suite("What becomes of a pipeline whose connection breaks")
struct BrokenPipelineTests {
  private typealias TestPipeline = Pipeline<String, Int>

  private func fields(_ state: String, severity: String = "ERROR") -> ServerFields {
    ServerFields(severity: severity, sqlState: SQLState(state), message: "")
  }

  private func fates(_ replies: TestPipeline.Reply...) -> [TestPipeline.Fate] {
    var pipeline = TestPipeline()
    pipeline.sent("a", as: .execute, isRepeatable: true)
    pipeline.sent("b", as: .execute, isRepeatable: true)
    for reply in replies { _ = pipeline.received(reply) }
    let fates = pipeline.broke()
    #expect(fates.map(\.item) == ["a", "b"])
    #expect(pipeline.isEmpty)
    return fates.map(\.fate)
  }

  @Test("Without a word from the server nothing is known of anything")
  func silent() {
    #expect(fates() == [.unknown, .unknown])
    #expect(fates(.completed(1)) == [.unknown, .unknown])
  }

  @Test("A statement that had failed has failed")
  func failed() {
    #expect(fates(.failed(fields("23505"))) == [.failed(fields("23505")), .unknown])
  }

  @Test("A session ended in the midst of a statement never began the next")
  func ended() {
    let shutdown = fields("57P01", severity: "FATAL")
    #expect(fates(.failed(shutdown)) == [.ended(shutdown), .notStarted])
  }

  @Test("A session ended at the commit leaves the outcome open")
  func endedAtCommit() {
    let shutdown = fields("57P01", severity: "FATAL")
    #expect(fates(.completed(1), .failed(shutdown)) == [.unknown, .notStarted])
  }
}
