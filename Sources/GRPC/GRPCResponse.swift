internal import FoundationEssentials
internal import TTRPC

/// The header lists of gRPC responses.
enum GRPCResponse {
  private static let first = [
    (name: ":status", value: "200"), (name: "content-type", value: "application/grpc+proto"),
    (name: "grpc-accept-encoding", value: "identity,gzip"),
  ]

  /// The header list before the first message.
  static let headers = HTTP2HeaderList.permanent(first)

  /// The trailers of a call that succeeded.
  static let success = HTTP2HeaderList.permanent([(name: "grpc-status", value: "0")])

  /// The maximum size of an error's message and details, in bytes.
  ///
  /// Clients accept header lists of 8 KiB by default.
  private static let maximumErrorSize = 6144

  /// Returns the trailers of a call that failed.
  static func trailers(_ error: RPCError) -> HTTP2HeaderList { HTTP2HeaderList(status(error)) }

  /// Returns the only header list of a call that failed before its first message.
  static func trailersOnly(_ error: RPCError) -> HTTP2HeaderList {
    HTTP2HeaderList(first + status(error))
  }

  /// Returns the only header list of a request that is not a gRPC request.
  static func refusal(status: Int, _ message: String) -> HTTP2HeaderList {
    HTTP2HeaderList([
      (":status", "\(status)"), ("content-type", "text/plain"), ("grpc-message", message),
    ])
  }

  /// Returns the headers of an error, without its details if they are too long.
  static func status(_ error: RPCError) -> [(name: String, value: String)] {
    let message = percentEncoded(error.message, limit: maximumErrorSize)
    var headers = [
      (name: "grpc-status", value: "\(error.code.rawValue)"),
      (name: "grpc-message", value: message),
    ]
    if !error.details.isEmpty {
      let details = Data(error.serializedStatus).base64EncodedString()
      if message.utf8.count + details.utf8.count <= maximumErrorSize {
        headers.append((name: "grpc-status-details-bin", value: details))
      }
    }
    return headers
  }

  /// Encodes a message for the header `grpc-message`: printable ASCII except `%` stays as it is.
  ///
  /// A space at the beginning or the end is encoded, because HTTP/2 does not permit it there.
  ///
  /// - Parameter limit: The maximum number of bytes of the result; the message is cut there.
  static func percentEncoded(_ message: String, limit: Int = .max) -> String {
    let bytes = Array(message.utf8)
    let space = UInt8(ascii: " ")
    guard
      bytes.count > limit || bytes.first == space || bytes.last == space
        || !bytes.allSatisfy(isPlain)
    else { return message }
    var result: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      guard result.count + 3 <= limit else { break }
      if isPlain(byte), byte != space || (index > 0 && index < bytes.count - 1) {
        result.append(byte)
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        result += (digits.count == 1 ? "%0\(digits)" : "%\(digits)").utf8
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    (0x20...0x7e).contains(byte) && byte != UInt8(ascii: "%")
  }
}
