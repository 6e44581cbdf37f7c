import Foundation
import ProtobufC

@testable import TTRPC

extension Target {
  /// Writes the initial inputs: the golden frames, and a call of each method.
  func writeSeeds(into folder: String) {
    for (index, seed) in seeds.enumerated() {
      let path = "\(folder)/seed-\(index)"
      guard FileManager.default.createFile(atPath: path, contents: Data(seed)) else {
        violated("\(path) can be written")
      }
    }
  }

  /// The records of all seeds.
  var seedRecords: [[UInt8]] {
    guard let headCount else { return [] }
    return seeds.flatMap { Records($0.dropFirst(headCount)).map { Array($0.rest) } }
  }

  fileprivate var seeds: [[UInt8]] {
    switch self {
    case .server: serverSeeds
    case .grpc: grpcSeeds
    case .client: clientSeeds
    case .messages: messageSeeds
    }
  }

  private var serverSeeds: [[UInt8]] {
    let requests = [
      Golden.echoRequest, Golden.serverStream.request,
      Golden.bidirectional.request + Golden.bidirectional.message + Golden.bidirectional.end,
      Golden.clientStream.request + Golden.clientStream.message + Golden.clientStream.end,
      Array("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".utf8),
    ]
    // The golden frames unchanged; then every method with an empty request, a message and an end,
    // once completed and once cut off.
    let golden = requests.map { [0] + record([0xc8] + $0) }
    let calls = FuzzedService.methodNames.indices.flatMap { method in
      [UInt8(0), 1].map { ending in
        [ending] + record([0x40, UInt8(method), 0, 0, 0, 8, 3]) + record([0x8a, 1])
          + record([0x42, 255, 0, 8, 41]) + record([0xc2, 255, 5]) + record([0x0d, 1])
          + record([0x8c, 200])
      }
    }
    return golden + calls
  }

  /// A call of each method, with a message that is compressed or not, once completed and once cut
  /// off; then frames that belong to no call.
  private var grpcSeeds: [[UInt8]] {
    // The message `{1: 3}` as a gzip member.
    let member = Golden.bytes("1f8b0800 00000000 0003 e3600600 4dc90910 02000000")
    var calls: [[UInt8]] = []
    for method in FuzzedService.methodNames.indices {
      for head in [0, 1, 14] as [UInt8] {
        calls.append([head] + grpcCall(UInt8(method), timeout: 0, [0, 8, 3]))
        calls.append([head] + grpcCall(UInt8(method), timeout: 1, [1] + member))
      }
    }
    let controls: [[UInt8]] = [
      record([0x45, 0, 2, 4, 0, 0, 0, 1, 3, 0, 0, 0, 2]), record([0x46, 0]),
      record([0x47, 255, 0, 0, 0, 1]), record([0x44, 255, 8]),
      record([0x48, 2, 255, 0, 0, 0, 0, 3, 1]),
      record([0x48, 9, 255, 4]), record([0x4f, 1]), record([0x42, 0, 0, 0]),
    ]
    for control in controls {
      calls.append([0] + record([0x40, 7, 0, 0, 0]) + control + control)
    }
    return calls
  }

  private func grpcCall(_ method: UInt8, timeout: UInt8, _ message: [UInt8]) -> [UInt8] {
    let opening = record([0x40, method, 0, 0, timeout]) + record([0x8a, 1])
    let messages = record([0x41, 255, 0] + message) + record([0xc1, 255, 1] + message)
    return opening + messages + record([0x0d, 1]) + record([0x0e, 0]) + record([0x8c, 200, 4])
  }

  private var clientSeeds: [[UInt8]] {
    let answers = [Golden.echoResponse, Golden.brokenStream.message + Golden.brokenStream.status]
    let golden = answers.map { record([0x80, 0, 0]) + record([0xc8] + $0) }
    let calls = (UInt8(0)..<4).map { shape in
      record([0x80, shape, 0, 2, 5, 0, 8, 1]) + record([0x42, 1, 0, 8, 41])
        + record([0xc2, 1, 5]) + record([0xc4, 1, 0, 0x12, 2, 8, 42]) + record([0x0f, 1])
    }
    return golden + calls
  }

  private var messageSeeds: [[UInt8]] {
    let tree = Tree(name: "a", left: Tree(name: "b"), children: [Tree(), Tree(name: "c")])
    let rich = Rich(
      userID: "u", origin: Rich.Point(x: 1, y: -1), points: [Rich.Point(labels: ["l"])])
    let status = WireStatus(
      RPCError(
        code: .aborted, message: "m",
        details: [
          .retryInfo(after: .seconds(1)), .noEffect,
          .badRequest([FieldViolation(field: "f", description: "d")]),
        ]))
    let frames = Golden.echoRequest + Golden.echoResponse + Golden.clientStream.end
    let error = WireResponse(status: status).serialized()
    return [
      [2] + rich.serialized(), [3] + tree.serialized(), [7] + Golden.echoRequest.dropFirst(10),
      [8] + error, [11] + error, [12, 3, 5, 1, 20] + frames,
    ]
  }

  private func record(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count)] + bytes }
}
