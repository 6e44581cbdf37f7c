internal import FoundationEssentials
internal import NIOCore
internal import NIOHPACK
internal import TTRPC

/// The header lists of gRPC responses.
enum GRPCResponse {
  /// The header list before the first message.
  static let headers = HPACKHeaders([
    (":status", "200"), ("content-type", "application/grpc+proto"),
    ("grpc-accept-encoding", "identity,gzip"),
  ])

  /// The trailers of a call that succeeded.
  static let success = HPACKHeaders([("grpc-status", "0")])

  /// Returns the trailers of a call that failed.
  static func trailers(_ error: RPCError) -> HPACKHeaders {
    var headers = HPACKHeaders([
      ("grpc-status", "\(error.code.rawValue)"), ("grpc-message", percentEncoded(error.message)),
    ])
    if !error.details.isEmpty {
      headers.add(
        name: "grpc-status-details-bin",
        value: Data(error.serializedStatus).base64EncodedString())
    }
    return headers
  }

  /// Returns the only header list of a call that failed before its first message.
  static func trailersOnly(_ error: RPCError) -> HPACKHeaders {
    var headers = headers
    headers.add(contentsOf: trailers(error))
    return headers
  }

  /// Encodes a message for the header `grpc-message`: printable ASCII except `%` stays as it is.
  static func percentEncoded(_ message: String) -> String {
    guard !message.utf8.allSatisfy(isPlain) else { return message }
    var result = ""
    for byte in message.utf8 {
      if isPlain(byte) {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return result
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    (0x20...0x7e).contains(byte) && byte != UInt8(ascii: "%")
  }
}
