internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

/// Accepts a form only if a page of the console sent it, for the person who is signed in.
///
/// Otherwise a page of another site could send the form with the person's session.
struct FormCheck: Sendable {
  /// The maximum size of a form, in bytes.
  private static let maximumSize = 4096

  let authorities: Authorities

  /// Reads a form and checks where it comes from.
  ///
  /// - Throws: ``Failure`` if it does not come from a page of the console.
  func fields(of request: Request, from visitor: Visitor?) async throws -> FormFields {
    if let origin = request.headers[.origin], !authorities.contains(origin: origin.lowercased()) {
      throw Self.foreign
    }
    if let site = request.headers[.named("Sec-Fetch-Site")], site != "same-origin" {
      throw Self.foreign
    }
    let type = request.headers[.contentType]?.prefix { $0 != ";" }
    guard type == "application/x-www-form-urlencoded" else {
      throw Failure(
        status: .unsupportedMediaType, title: "Invalid request",
        message: "The form has another content type than application/x-www-form-urlencoded.")
    }
    let body: ByteBuffer
    do {
      body = try await request.body.collect(upTo: Self.maximumSize)
    } catch is NIOTooManyBytesError {
      throw Failure.tooLarge
    }
    let fields = try FormFields(String(buffer: body))
    guard let visitor, let token = fields["form_token"],
      Secret.areEqual(token, visitor.formToken)
    else { throw Self.foreign }
    return fields
  }

  private static let foreign = Failure.forbidden(
    "The form does not come from a page of this session, and nothing was changed.",
    advice: "Go back to the page, reload it, and send the form again.")
}
