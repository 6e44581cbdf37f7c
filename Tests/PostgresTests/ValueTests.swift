import FoundationEssentials
import Testing

@testable import Postgres

@Suite struct ValueTests {
  private enum Colour: String, PostgresScalar { case red, green }

  /// Sends values, lets the server compare them with SQL expressions, and reads them back.
  private func check<Value: PostgresScalar & Equatable>(
    _ type: String,
    _ cases: [(Value, sql: String)],
    on connection: Connection
  ) async throws {
    for (value, sql) in cases {
      let statement = Statement("SELECT $1::\(type), $1::\(type) IS NOT DISTINCT FROM \(sql)")
      let answers = try await connection.query(statement, [value]) { row throws(PostgresError) in
        (try row.decode(Value.self, at: 0), try row.decode(Bool.self, at: 1))
      }
      let answer = try #require(answers.first)
      #expect(answer.0 == value, "\(type) \(sql)")
      #expect(answer.1, "\(value) differs from the server's \(sql)")
    }
    let values = cases.map(\.0)
    let array = Statement("SELECT $1::\(type)[]")
    #expect(try await connection.column(array, [values]) == [values])
    #expect(try await connection.column(array, [[Value]()]) == [[Value]()])
    let optionals: [Value?] = [nil] + values.map(Optional.some) + [nil]
    #expect(try await connection.column(array, [optionals]) == [optionals])
    let single = Statement("SELECT $1::\(type)")
    #expect(try await connection.column(single, [Value?.none]) == [Value?.none])
    #expect(try await connection.column(single, [Value?.some(values[0])]) == [values[0]])
    #expect(try await connection.column(array, [[Value]?.none]) == [[Value]?.none])
  }

  @Test
  func `integers, booleans and floating-point numbers are exact to their bounds`() async throws {
    try await TestDatabase.withConnection { connection in
      try await check(
        "int2",
        [(Int16.min, "-32768"), (0, "0"), (.max, "32767")],
        on: connection
      )
      try await check(
        "int4",
        [(Int32.min, "-2147483648"), (-1, "-1"), (.max, "2147483647")],
        on: connection
      )
      try await check(
        "int8",
        [(Int64.min, "(-9223372036854775808)"), (258, "258"), (.max, "9223372036854775807")],
        on: connection
      )
      try await check(
        "int8",
        [(Int.min, "(-9223372036854775808)"), (Int.max, "9223372036854775807")],
        on: connection
      )
      try await check("bool", [(true, "true"), (false, "false")], on: connection)
      try await check(
        "float8",
        [
          (0.1, "0.1::float8"), (-Double.infinity, "'-Infinity'"), (.pi, "pi()"),
          (.leastNonzeroMagnitude, "'5e-324'"),
          (.greatestFiniteMagnitude, "'1.7976931348623157e308'"),
        ],
        on: connection
      )
      let nan = try await connection.column("SELECT $1::float8", [Double.nan], as: Double.self)
      #expect(nan.allSatisfy(\.isNaN) && nan.count == 1)
    }
  }

  @Test
  func `texts, JSON documents, bytes, UUIDs and enumerations are read and written`() async throws {
    try await TestDatabase.withConnection { connection in
      try await check(
        "text",
        [("", "''"), ("Zoë 🎭", "'Zoë 🎭'"), ("a'b\"c\\", "'a''b\"c\\'")],
        on: connection
      )
      try await check(
        "jsonb",
        [(JSONB(text: #"{"a": [1, null]}"#), #"'{"a":[1,null]}'"#)],
        on: connection
      )
      try await check(
        "bytea",
        [([UInt8](), "''"), ([0, 255, 39], #"'\x00ff27'"#)],
        on: connection
      )
      let id = UUID()
      try await check("uuid", [(id, "'\(id.uuidString)'")], on: connection)
      try await connection.execute("CREATE TYPE colour AS ENUM ('red', 'green')")
      #expect(try await connection.column("SELECT 'green'::colour") == [Colour.green])
      #expect(
        try await connection.column("SELECT $1::text::colour", [Colour.red]) == [Colour.red]
      )
      #expect(
        try await connection.column("SELECT '{red,green}'::colour[]") == [[Colour.red, .green]]
      )
      #expect(try await connection.column("SELECT '{\"a\":1}'::json") == [JSONB(text: #"{"a":1}"#)])
    }
  }

  @Test func `timestamps are exact to the microsecond`() async throws {
    try await TestDatabase.withConnection { connection in
      let timestamps = [
        "2000-01-01 00:00:00", "1970-01-01 00:00:00", "1999-12-31 23:59:59.999999",
        "2026-11-23 20:39:51.123457", "1858-11-18 00:00:00.000001", "2142-12-31 23:59:59.999999",
      ]
      for timestamp in timestamps {
        let statement = Statement("SELECT '\(timestamp)+00'::timestamptz")
        let dates = try await connection.column(statement, as: Date.self)
        let texts = try await connection.column(
          "SELECT to_char($1::timestamptz, 'YYYY-MM-DD HH24:MI:SS.US')",
          [dates[0]],
          as: String.self
        )
        let expected = timestamp.contains(".") ? timestamp : timestamp + ".000000"
        #expect(texts == [expected])
      }
      try await check(
        "timestamptz",
        [(Date(timeIntervalSince1970: 0), "'1970-01-01 00:00:00+00'")],
        on: connection
      )
      let error = try await postgresError {
        try await connection.column("SELECT 'infinity'::timestamptz", as: Date.self)
      }
      #expect(error.code == .decoding)
      for date in [Date(timeIntervalSinceReferenceDate: .nan), .init(timeIntervalSince1970: 1e15)] {
        let error = try await postgresError { try await connection.execute("SELECT $1", [date]) }
        #expect(error.code == .encoding)
      }
    }
  }
}
