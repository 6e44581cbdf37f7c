import Testing

@testable import Postgres

@Suite struct PreparedStatementsTests {
  private let select = Statement(name: "select", sql: "SELECT $1")

  @Test func `a statement is prepared once, and prepared again after it was forgotten`() throws {
    var prepared = PreparedStatements(limit: 10)
    #expect(try prepared.form(of: select, [1]) == .prepareAndExecute(name: "select"))
    #expect(try prepared.form(of: select, [2]) == .execute(name: "select"))
    #expect(try prepared.form(of: "SELECT 1", []) == .unnamed)
    prepared.forget(select)
    #expect(try prepared.form(of: select, [1]) == .prepareAndExecute(name: "select~1"))
    #expect(try prepared.form(of: select, [1]) == .execute(name: "select~1"))
  }

  @Test func `statements beyond the limit are parsed each time`() throws {
    var prepared = PreparedStatements(limit: 1)
    #expect(try prepared.form(of: select, [1]) == .prepareAndExecute(name: "select"))
    #expect(try prepared.form(of: Statement(name: "other", sql: "SELECT 1"), []) == .unnamed)
    #expect(try prepared.form(of: select, [1]) == .execute(name: "select"))
  }

  @Test func `parameters that do not fit the statement are refused`() throws {
    var prepared = PreparedStatements(limit: 10)
    let refused: [(Statement, Parameters)] = [
      (select, ["a"]), (select, [1, 2]), (Statement(name: "select", sql: "SELECT $1, 2"), [1]),
    ]
    _ = try prepared.form(of: select, [1])
    for (statement, parameters) in refused {
      let error = #expect(throws: PostgresError.self) {
        _ = try prepared.form(of: statement, parameters)
      }
      #expect(error?.code == .invalidStatement)
    }
  }
}

@Suite struct BacklogTests {
  private func request(_ lease: Lease? = nil) -> Request {
    Request(.statement("SELECT 1", []), lease: lease?.id) { _ in }
  }

  @Test func `requests are served in order, but one that was put back is served first`() {
    var backlog = Backlog()
    let (a, b) = (request(), request())
    _ = backlog.append(a)
    _ = backlog.append(b)
    #expect(backlog.next == a)
    backlog.removeNext()
    #expect(backlog.next == b)
    backlog.putBack(a)
    #expect(backlog.next == a)
  }

  @Test func `the holder of a lease is served alone until the lease is released`() {
    var backlog = Backlog()
    let (holder, other) = (Lease(), Lease())
    let (general, leased) = (request(), request(holder))
    let isAcceptedEarly = backlog.append(request(holder))
    #expect(!isAcceptedEarly)
    backlog.grant(holder)
    _ = backlog.append(general)
    #expect(backlog.next == nil)
    let isOtherAccepted = backlog.append(request(other))
    #expect(!isOtherAccepted)
    _ = backlog.append(leased)
    #expect(backlog.next == leased)
    let left = backlog.release()
    #expect(left == [leased])
    #expect(backlog.next == general)
  }

  @Test func `a cancelled request is removed from either queue`() {
    var backlog = Backlog()
    let holder = Lease()
    backlog.grant(holder)
    let (general, leased) = (request(), request(holder))
    _ = backlog.append(general)
    _ = backlog.append(leased)
    let removed = [general, general, leased].map { backlog.remove($0.cancellation) }
    #expect(removed == [general, nil, leased])
    #expect(backlog.isEmpty)
  }
}

@Suite struct ParametersTests {
  @Test func `parameters know their types, even that of a null`() {
    let parameters = Parameters(Int16(1), "text", Optional<Int>.none, [true, nil], [UInt8]())
    #expect(parameters.types == [.int2, .text, .int8, .boolArray, .bytea])
    #expect(parameters.fields.map { $0.range?.count } == [2, 4, nil, 29, 0])
  }

  @Test func `the number of parameters is limited`() {
    var parameters = Parameters()
    for _ in 0..<Parameters.maximumCount { parameters.append(Int?.none) }
    #expect(parameters.failure == nil)
    parameters.append(Int?.none)
    #expect(parameters.failure?.code == .encoding)
  }
}

@Suite struct ErrorTests {
  @Test func `an error is retriable only if nothing took effect and a retry may help`() {
    let retriable: [PostgresError.Code] = [
      .connectionUnavailable, .queueFull, .server(.serializationFailure),
      .server(.deadlockDetected), .server(.adminShutdown), .server(.crashShutdown),
      .server(.cannotConnectNow),
    ]
    let final: [PostgresError.Code] = [
      .connectionLost, .cancelled, .timedOut, .decoding, .encoding, .invalidStatement,
      .invalidConfiguration, .transactionAborted, .protocolViolation, .closed,
      .server(.uniqueViolation), .server(.queryCanceled), .server(.lockNotAvailable),
    ]
    for code in retriable { #expect(PostgresError(code, "").isRetriable, "\(code)") }
    for code in final { #expect(!PostgresError(code, "").isRetriable, "\(code)") }
  }
}
