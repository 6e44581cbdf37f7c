internal import SwiftProtobuf
internal import VisibleText

extension Schema {
  /// Describes the services, or one declaration, as proto text with the comments of its source.
  ///
  /// - Parameter name: a service, a method (`SERVICE/METHOD` or `SERVICE.METHOD`), a message or an
  ///   enum, by its full name or by the end of it where that is clear. Nothing stands for a list of
  ///   the services and their methods.
  /// - Throws: a `DynamicMessageError` with the nearest name.
  public func describe(_ name: String? = nil) throws(DynamicMessageError) -> String {
    guard let name else { return overview }
    let found = try lookUp(
      name.replacing("/", with: "."), among: Array(symbols.keys), what: "service, method or type",
      shown: name)
    guard let symbol = symbols[found] else {
      throw DynamicMessageError(code: .notFound, path: "", message: "there is no \(name)")
    }
    let file = files[symbol.location.file]
    var text = ProtoText(file, types: types)
    text.comment("\(found), of \(file.name)")
    text.symbol(symbol, name: found)
    return text.text
  }

  private var overview: String {
    var lines: [String] = []
    for service in services {
      if !lines.isEmpty { lines.append("") }
      lines.append(service.name)
      for method in service.methods {
        lines.append(
          "  "
            + ProtoText.signature(
              method.name, method.input.fullName, isClientStreaming: method.isClientStreaming,
              method.output.fullName, isServerStreaming: method.isServerStreaming))
      }
    }
    return lines.map { $0.visible() + "\n" }.joined()
  }
}

/// The comments of one file, by what they stand at.
struct Comments {
  private var locations: [[Int32]: Google_Protobuf_SourceCodeInfo.Location] = [:]

  init(_ file: Google_Protobuf_FileDescriptorProto) {
    for location in file.sourceCodeInfo.location where locations[location.path] == nil {
      locations[location.path] = location
    }
  }

  /// The lines above a thing, and then those behind it.
  func lines(_ location: Location) -> [String] {
    guard let location = locations[location.path.map { Int32(clamping: $0) }] else { return [] }
    return [location.leadingComments, location.trailingComments].flatMap { text in
      var lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        .map { String($0) }
      while lines.last?.allSatisfy(\.isWhitespace) == true { lines.removeLast() }
      return lines
    }
  }
}
