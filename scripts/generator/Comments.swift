import SwiftProtobuf
import SwiftProtobufPluginLibrary

extension ProvidesSourceCodeLocation {
  /// The comment on a declaration in the `.proto` file, as lines of a doc comment.
  var commentLines: [String] {
    guard let location = sourceCodeInfoLocation else { return [] }
    let text = location.hasLeadingComments ? location.leadingComments : location.trailingComments
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let content = line.hasPrefix(" ") ? line.dropFirst() : line[...]
      return content.isEmpty ? "///" : "/// \(content)"
    }
    while lines.last == "///" { lines.removeLast() }
    return lines
  }
}
