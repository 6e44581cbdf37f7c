import Testing

@testable import Postgres

@Suite struct PipelineTests {
  typealias TestPipeline = Pipeline<String, Int>

  /// Creates a pipeline with statements in flight, each in a transaction of its own.
  private func pipeline(_ items: (String, TestPipeline.Shape)...) -> TestPipeline {
    var pipeline = TestPipeline()
    for (item, shape) in items {
      pipeline.sent(item, as: shape, isRepeatable: true, isReadOnly: true)
    }
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

  /// Passes replies to a pipeline, and returns a description of each action.
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
      case .dropConnection: "drop connection"
      }
    }
  }

  @Test func `a statement finishes at its sync, not at its result`() {
    var pipeline = pipeline(("a", .execute), ("b", .execute))
    #expect(actions(&pipeline, .completed(1), .end) == [])
    #expect(actions(&pipeline, .synchronized) == ["a = 1"])
    #expect(actions(&pipeline, .completed(2), .end, .synchronized) == ["b = 2"])
    #expect(pipeline.isEmpty)
  }

  @Test func `an error ends at the sync of its own statement`() {
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

  @Test func `a constraint violation at the sync is the error of the statement`() {
    var pipeline = pipeline(("a", .execute))
    let all = actions(&pipeline, .completed(1), .end, failure("23503"), .end, .synchronized)
    #expect(all == ["a server(23503)"])
  }

  @Test func `the reply to a preparation precedes that to its execution`() {
    var pipeline = pipeline(("a", .prepareAndExecute))
    let all = actions(&pipeline, .completed(0), .end, .completed(1), .end, .synchronized)
    #expect(all == ["prepared a", "a = 1"])
  }

  @Test func `a statement that relied on a failed preparation is prepared when it is resent`() {
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

  @Test func `a statement whose plan no longer fits the tables is prepared again`() {
    var pipeline = pipeline(("a", .execute))
    let stale = failure("0A000", routine: "RevalidateCachedQuery")
    #expect(actions(&pipeline, stale, .end, .synchronized) == ["again a anew"])
  }

  @Test func `a statement with an invalid plan is resent unless its plans are fresh`() {
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

  @Test func `a cancelled head fails as cancelled, and the next statement is unaffected`() {
    var pipeline = pipeline(("a", .execute), ("b", .execute))
    #expect(pipeline.cancel { $0 == "a" })
    #expect(pipeline.isHeadCancelled)
    pipeline.cancelSent()
    #expect(actions(&pipeline, failure("57014", canceled), .end, .synchronized) == ["a cancelled"])
    #expect(!pipeline.isHeadCancelled)
    #expect(actions(&pipeline, .completed(2), .end, .synchronized) == ["b = 2"])
  }

  @Test func `a cancelled statement needs a cancel request only while it is the head`() {
    var pipeline = pipeline(("a", .execute), ("b", .execute))
    #expect(pipeline.cancel { $0 == "b" })
    #expect(!pipeline.isHeadCancelled)
    #expect(actions(&pipeline, .completed(1), .end, .synchronized) == ["a = 1"])
    #expect(pipeline.isHeadCancelled)
  }

  @Test func `a statement that finishes before its cancellation arrives keeps its result`() {
    var pipeline = pipeline(("a", .execute))
    #expect(pipeline.cancel { $0 == "a" })
    pipeline.cancelSent()
    #expect(actions(&pipeline, .completed(1), .end, .synchronized) == ["a = 1"])
  }

  @Test func `at most two statements that another statement's cancellation hits are resent`() {
    var pipeline = pipeline(("a", .execute), ("b", .execute), ("c", .execute), ("d", .execute))
    #expect(pipeline.cancel { $0 == "a" })
    pipeline.cancelSent()
    #expect(actions(&pipeline, .completed(1), .end, .synchronized) == ["a = 1"])
    let hits = (0..<3).flatMap { _ in
      actions(&pipeline, failure("57014", canceled), .end, .synchronized)
    }
    #expect(hits == ["again b", "again c", "d server(57014)"])
  }

  @Test func `a cancellation cannot hit a statement after the pipeline was empty`() {
    var pipeline = pipeline(("a", .execute))
    #expect(pipeline.cancel { $0 == "a" })
    pipeline.cancelSent()
    #expect(actions(&pipeline, .completed(1), .end, .synchronized) == ["a = 1"])
    pipeline.sent("b", as: .execute, isRepeatable: true)
    let all = actions(&pipeline, failure("57014", canceled), .end, .synchronized)
    #expect(all == ["b server(57014)"])
  }

  @Test func `a statement timeout is not mistaken for a cancellation`() {
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

  @Test func `a statement of a transaction is never resent`() {
    var pipeline = pipeline(("a", .execute))
    pipeline.sent("b", as: .execute, isRepeatable: false, isReadOnly: true)
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

  @Test func `a statement that may write cannot be cancelled`() {
    var pipeline = TestPipeline()
    pipeline.sent("a", as: .execute, isRepeatable: true)
    #expect(!pipeline.cancel { $0 == "a" })
    #expect(!pipeline.isHeadCancelled)
  }

  @Test func `no cancel request is due while a statement that may write is in flight`() {
    var pipeline = pipeline(("a", .execute))
    pipeline.sent("b", as: .execute, isRepeatable: true)
    #expect(pipeline.cancel { $0 == "a" })
    #expect(!pipeline.isHeadCancelled)
  }

  @Test func `a statement that may write is not resent after a cancellation`() {
    var pipeline = pipeline(("a", .execute))
    #expect(pipeline.cancel { $0 == "a" })
    pipeline.cancelSent()
    pipeline.sent("b", as: .execute, isRepeatable: true)
    #expect(actions(&pipeline, .completed(1), .end, .synchronized) == ["a = 1"])
    let hit = actions(&pipeline, failure("57014", canceled), .end, .synchronized)
    #expect(hit == ["b server(57014)"])
  }

  @Test func `the end of a replication wait makes the head's outcome uncertain`() {
    for arrivesLate in [false, true] {
      var pipeline = pipeline(("a", .execute), ("b", .execute))
      // libpq may report the notice before the result that it follows.
      if !arrivesLate { pipeline.replicationWaitEnded() }
      #expect(actions(&pipeline, .completed(1), .end) == [])
      if arrivesLate { pipeline.replicationWaitEnded() }
      #expect(actions(&pipeline, .synchronized) == ["a replicationUncertain"])
      #expect(actions(&pipeline, .completed(2), .end, .synchronized) == ["b = 2"])
    }
  }

  @Test func `a script runs alone and ends with its last result or first error`() {
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

  @Test func `an unexpected result ends the connection`() {
    var idle = pipeline()
    #expect(actions(&idle, .completed(1)) == ["drop connection"])
    var early = pipeline(("a", .execute))
    #expect(actions(&early, .synchronized) == ["drop connection"])
    var twice = pipeline(("a", .execute))
    #expect(actions(&twice, .completed(1), .completed(1)) == ["drop connection"])
    var skipped = pipeline(("a", .execute))
    #expect(actions(&skipped, .skipped) == ["drop connection"])
  }
}

@Suite struct BrokenPipelineTests {
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

  @Test func `statements without a final reply have an unknown outcome`() {
    #expect(fates() == [.unknown, .unknown])
    #expect(fates(.completed(1)) == [.unknown, .unknown])
  }

  @Test func `a statement that had failed stays failed`() {
    #expect(fates(.failed(fields("23505"))) == [.failed(fields("23505")), .unknown])
  }

  @Test func `the statements after the one during which the session ended did not start`() {
    let shutdown = fields("57P01", severity: "FATAL")
    #expect(fates(.failed(shutdown)) == [.ended(shutdown), .notStarted])
  }

  @Test func `a session that ends at the commit leaves the outcome unknown`() {
    let shutdown = fields("57P01", severity: "FATAL")
    #expect(fates(.completed(1), .failed(shutdown)) == [.unknown, .notStarted])
  }
}
