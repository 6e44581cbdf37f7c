internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

extension Response {
  /// Returns a page.
  static func page(_ html: String, status: HTTPStatus = .ok) -> Response {
    text(html, type: "text/html; charset=utf-8", status: status)
  }

  /// Returns a file of comma-separated values for the browser to save.
  static func csv(_ text: String, name: String) -> Response {
    var response = Self.text(text, type: "text/csv; charset=utf-8; header=present")
    response.headers[.contentDisposition] = "attachment; filename=\"\(name).csv\""
    return response
  }

  /// Returns a redirection after a form was sent, so that reloading does not send it again.
  static func seeOther(_ address: String) -> Response {
    Response(status: .seeOther, headers: [.location: address])
  }

  static func text(
    _ text: String, type: String, status: HTTPStatus = .ok
  ) -> Response {
    Response(
      status: status, headers: [.contentType: type],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
