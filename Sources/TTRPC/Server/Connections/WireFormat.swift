package import NIOCore
package import ProtobufC

/// A protocol that a server speaks on its socket, besides ttrpc and HTTP/1.1.
///
/// The server picks it by the first bytes of a connection. The module `GRPC` has one.
public struct WireFormat: Sendable {
  /// The bytes with which each of its connections begins.
  let preface: [UInt8]
  /// Adds its handlers to a connection's channel, behind a handler.
  let install: @Sendable (ServerConnection, _ handler: any ChannelHandler) throws -> Void

  package init(
    preface: [UInt8],
    install: @escaping @Sendable (ServerConnection, _ handler: any ChannelHandler) throws -> Void
  ) {
    self.preface = preface
    self.install = install
  }
}

/// A wire format's side of a connection: it writes what the calls of the connection send.
///
/// All functions are called on the connection's event loop.
package protocol ConnectionOutput: StreamConnection {
  /// The format's framing of messages.
  var framing: MessageFraming { get }

  /// Sends the only response of a call, which ends its stream.
  ///
  /// - Throws: RESOURCE_EXHAUSTED if the response exceeds the limit on messages; nothing is sent
  ///   then.
  func end(_ streamID: UInt32, with response: borrowing Serializer) throws(RPCError)

  /// Sends the outcome of a call, unless its stream has ended.
  ///
  /// - Parameters:
  ///   - outcome: The only response, `nil` if the responses were a stream, or an error.
  ///   - isEarly: True if the call ended before its handler returned. The outcome then does not
  ///     wait until the peer has read the messages before it.
  func end(_ streamID: UInt32, _ outcome: Result<[UInt8]?, RPCError>, isEarly: Bool)

  /// Sets the metadata of a call's response, if the format has such metadata and the stream has not
  /// ended.
  func setResponseMetadata(of streamID: UInt32, initial: Metadata, trailing: Metadata)

  /// The number of bytes that wait until the peer reads, and that no writer of a stream waits for.
  var unreadResponseBytes: Int { get }

  /// The number of all other bytes that the format holds.
  var queuedBytes: Int { get }

  /// A Boolean value that indicates whether the format holds no request and no response, apart from
  /// those of calls.
  var isIdle: Bool { get }

  /// Handles a tick of the connection's watch; see ``ServerConnection``.
  func watchTicked()

  /// Sends what can be sent at once, and closes the connection.
  func close()
}
