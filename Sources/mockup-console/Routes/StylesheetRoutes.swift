internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import MockupPages

/// The stylesheet and the icon, which browsers keep.
enum StylesheetRoutes {
  /// A picture of a bar with its used part.
  private static let icon = """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect x="1" y="5" width="14" \
    height="6" rx="1" fill="#b7c4d3"/><rect x="1" y="5" width="9" height="6" rx="1" \
    fill="#2f6db3"/></svg>
    """

  static func add(to router: Router<ConsoleContext>) {
    // The path has the hash of the text, so that a changed stylesheet has another address.
    router.get(RouterPath(Stylesheet.path)) { request, _ in
      kept(Stylesheet.text, type: "text/css; charset=utf-8", tag: Stylesheet.hash, request)
    }
    router.get("/icon.svg") { request, _ in
      kept(icon, type: "image/svg+xml", tag: "1", request)
    }
  }

  private static func kept(
    _ text: String, type: String, tag: String, _ request: Request
  ) -> Response {
    let tag = "\"\(tag)\""
    let fields: HTTPFields = [.cacheControl: "public, max-age=31536000, immutable", .eTag: tag]
    if request.headers[.ifNoneMatch] == tag {
      return Response(status: .notModified, headers: fields)
    }
    var response = Response.text(text, type: type)
    for field in fields { response.headers[field.name] = field.value }
    return response
  }
}
