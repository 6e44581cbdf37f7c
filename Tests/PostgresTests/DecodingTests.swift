import FoundationEssentials
import Testing

@testable import Postgres

@Suite struct DecodingTests {
  /// Decodes bytes as a column named "c".
  private func decode<Value: PostgresDecodable>(
    _ value: Value.Type,
    _ type: PostgresType,
    _ bytes: [UInt8]
  ) throws -> Value {
    // The reader returns copies, so nothing keeps the address of the buffer.
    try unsafe bytes.withUnsafeBytes { buffer in
      var reader = unsafe FieldReader(bytes: buffer, type: type, column: .named("c"))
      return try reader.decodeAll(as: value)
    }
  }

  @Test func `malformed bytes never trap`() {
    let cases: [(any PostgresDecodable.Type, PostgresType, [UInt8])] = [
      (Int16.self, .int2, [1]), (Int32.self, .int4, [1, 2, 3]), (Int64.self, .int8, []),
      (Int64.self, .int8, [UInt8](repeating: 0, count: 9)), (Bool.self, .bool, []),
      (Double.self, .float8, [0]), (UUID.self, .uuid, [UInt8](repeating: 1, count: 15)),
      (String.self, .text, [0xff]), (JSONB.self, .jsonb, []), (JSONB.self, .jsonb, [2, 0x7b]),
      (Date.self, .timestamptz, [0]),
      ([Int].self, .int8Array, [0, 0, 0, 1]),
      ([Int].self, .int8Array, [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 20]),
      (
        [Int].self, .int8Array,
        [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1]
      ),
      (
        [Int].self, .int8Array,
        [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 1, 0x80, 0, 0, 0]
      ),
      (
        [Int].self, .int8Array,
        [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 65]
      ),
      ([UInt8].self, .text, [65]), (Int16.self, .int4, [0, 0, 0, 1]), (String.self, .int4, []),
    ]
    for (value, type, bytes) in cases {
      #expect(throws: PostgresError.self, "\(value) of \(bytes)") {
        _ = try decode(value, type, bytes)
      }
    }
  }

  @Test func `random bytes never trap, whatever type they are read as`() {
    let values: [(any PostgresDecodable.Type, PostgresType)] = [
      (Int.self, .int8), (Bool.self, .bool), (String.self, .text), (JSONB.self, .jsonb),
      (UUID.self, .uuid), (Date.self, .timestamptz),
      ([Int?].self, .int8Array), ([String].self, .textArray),
    ]
    var generator = SplitMix64(state: 20_261_123)
    for _ in 0..<20_000 {
      let (value, type) = values[Int.random(in: 0..<values.count, using: &generator)]
      let bytes = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
        // Small numbers are likelier to pass the first check.
        UInt8.random(in: 0...(Bool.random(using: &generator) ? 2 : 255), using: &generator)
      }
      guard let decoded = try? decode(value, type, bytes) else { continue }
      // A decoded value can be printed and encoded.
      _ = "\(decoded)"
      if let sendable = decoded as? any PostgresEncodable {
        var parameters = Parameters()
        parameters.append(sendable)
      }
    }
  }

  @Test func `a decoding error names the column`() async throws {
    try await TestDatabase.withConnection { connection in
      let null = try await postgresError {
        try await connection.column("SELECT NULL::int8 AS amount", as: Int.self)
      }
      #expect(null.code == .decoding)
      #expect(null.message == "column \"amount\" is null")
      let element = try await postgresError {
        try await connection.column("SELECT '{1,NULL}'::int8[] AS amounts", as: [Int].self)
      }
      #expect(element.message == "column \"amounts\" has a null element")
      let type = try await postgresError {
        try await connection.column("SELECT 'x'::text AS amount", as: Int.self)
      }
      #expect(type.message == "column \"amount\" is text (OID 25), which cannot be read as Int")
      let index = try await postgresError {
        try await connection.query("SELECT 1 AS a") { row throws(PostgresError) in
          try row.decode(Int.self, at: 1)
        }
      }
      #expect(index.code == .decoding)
    }
  }

  @Test func `text with a null character is refused before it is sent`() async throws {
    try await TestDatabase.withConnection { connection in
      let error = try await postgresError {
        try await connection.execute("SELECT $1, $2", [1, "a\0b"])
      }
      #expect(error.code == .encoding)
      #expect(error.message.hasPrefix("parameter $2:"))
    }
  }
}

/// A random number generator with the same sequence in every run.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
