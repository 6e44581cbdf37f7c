/// The header list of a gRPC request in HPACK (RFC 7541).
enum GRPCHeaders {
  private static let indexedField: UInt8 = 0x80
  private static let literalWithIndexing: UInt8 = 0x40

  /// Indices of HPACK's static table.
  private enum StaticTable {
    static let authority: UInt8 = 1
    static let post: UInt8 = 3
    static let path: UInt8 = 4
    static let http: UInt8 = 6
    static let contentType: UInt8 = 31
    static let userAgent: UInt8 = 58
  }

  private static let pseudoHeaders = [
    indexedField | StaticTable.post, indexedField | StaticTable.http,
  ]

  /// Returns the header list of a connection's first request, which adds five fields to the dynamic
  /// table.
  static func literal(_ request: Request) -> [UInt8] {
    pseudoHeaders
      + field(StaticTable.path, "/\(request.service)/\(request.method)")
      + field(StaticTable.authority, "localhost")
      + field(StaticTable.contentType, "application/grpc")
      + field(0, text("te") + text("trailers"))
      + field(StaticTable.userAgent, "load")
  }

  /// The same header list by the indices of the dynamic table, whose first index is 62.
  static let indexed = pseudoHeaders + (62...66).reversed().map { indexedField | $0 }

  private static func field(_ name: UInt8, _ value: String) -> [UInt8] {
    field(name, text(value))
  }

  private static func field(_ name: UInt8, _ rest: [UInt8]) -> [UInt8] {
    [literalWithIndexing | name] + rest
  }

  /// Returns a string of at most 126 bytes without Huffman's code.
  private static func text(_ text: String) -> [UInt8] {
    [UInt8(text.utf8.count)] + Array(text.utf8)
  }
}

/// The prefix of a message in gRPC: a flag for compression, and the length.
enum GRPCMessage {
  static let prefixLength = 5

  static func prefix(length: Int) -> [UInt8] {
    [0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
  }
}
