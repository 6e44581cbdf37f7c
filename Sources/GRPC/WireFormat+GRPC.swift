internal import NIOCore
public import TTRPC

extension WireFormat {
  /// gRPC over HTTP/2, without TLS.
  ///
  /// Each HTTP/2 stream is a call. See
  /// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
  public static let grpc = WireFormat(preface: Array("PRI * HTTP/2".utf8)) { connection, handler in
    try GRPCConnectionHandler.install(after: handler, connection)
  }
}

extension MessageFraming {
  /// The framing of gRPC: a flag for compression and the length before each message.
  static let grpc = MessageFraming(
    prefixLength: GRPCMessageReader.prefixLength,
    writePrefix: { buffer, length, _ in
      buffer.writeInteger(UInt8(0))
      buffer.writeInteger(UInt32(length))
    },
    responseSize: { $0 })
}
