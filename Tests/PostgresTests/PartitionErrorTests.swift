import Testing

@testable import Postgres

/// The errors and notices of a partition as PL/Proxy passes them on.
@Suite struct PartitionErrorTests {
  private func fields(
    _ message: String, state: String = "XX000", severity: String = "ERROR",
    routine: String = "plproxy_error_with_state"
  ) -> ServerFields {
    var fields = ServerFields(sqlState: SQLState(state), message: message)
    fields.severity = severity
    fields.routine = routine
    return fields
  }

  @Test(
    arguments: [
      ("[part0] PQconnectStart: connection to server failed", .connectionUnavailable),
      ("[part0] PQconnectPoll: could not connect", .connectionUnavailable),
      ("[part0] connect timeout to: part0", .connectionUnavailable),
      ("[part0] PQconsumeInput: server closed the connection unexpectedly", .connectionLost),
      ("[part0] query timeout", .connectionLost),
      ("Pl/Proxy: cluster not found: mockupd", .server(SQLState("XX000"))),
    ] as [(String, PostgresError.Code)])
  func `a failure of the connection to a partition is one of the connection`(
    message: String, code: PostgresError.Code
  ) {
    #expect(fields("PL/Proxy function mockupd.reserve(9): \(message)").error.code == code)
    // The same message of another function is not about a partition.
    #expect(fields(message, routine: "exec_stmt_raise").error.code == .server(SQLState("XX000")))
  }

  @Test(
    arguments: [
      ("duplicate key value violates unique constraint \"reservations_pkey\"", "reservations_pkey"),
      (
        "update or delete on table \"a\" violates foreign key constraint \"a_fkey\" on table \"b\"",
        "a_fkey"
      ),
      ("null value in column \"id\" of relation \"a\" violates not-null constraint", nil),
    ] as [(String, String?)])
  func `the constraint is read from the message`(message: String, constraint: String?) {
    let remote = fields(
      "reserve(9): [part0] REMOTE ERROR: \(message)", state: "23505",
      routine: "plproxy_remote_error")
    #expect(remote.error.constraint == constraint)
    #expect(fields(message, state: "23505", routine: "errors").error.constraint == nil)
  }

  @Test func `a partition's notice that a commit was not replicated counts`() {
    let message =
      "reserve(9): [part0] REMOTE WARNING: canceling wait for synchronous replication due to user "
      + "request"
    for severity in ["NOTICE", "WARNING"] {
      #expect(
        fields(message, state: "01000", severity: severity, routine: "plproxy_remote_error")
          .endsReplicationWait)
    }
    #expect(
      !fields(message, severity: "WARNING", routine: "exec_stmt_raise").endsReplicationWait)
  }
}
