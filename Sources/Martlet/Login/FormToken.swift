// The form token: 128 random bits in the session, and in each form of the session. Another site can send a form,
// but it cannot read a page of this site, so its form lacks the token. The server keeps nothing.

public import MartletBytes
import MartletToken

/// The token of the visitor's session (`FormTokenApplication`).
///
/// In an `HTML` text, `\(token)` writes the form's hidden field:
///
///     <input type="hidden" name="form-token" value="…">
public struct FormToken: Sendable {
  /// The token's characters, for a script that sends them in the header `X-CSRF-Token`.
  public let text: Text<22>

  /// Octets of a token.
  static var size: Int { 22 }

  /// A new token.
  static func random() -> Text<22> {
    var octets = InlineArray<16, UInt8>(repeating: 0)
    var target = octets.mutableSpan
    Random.fill(&target)
    var digits = InlineArray<22, UInt8>(repeating: 0)
    var writer = Writer(digits.mutableSpan)
    Base64URL.encode(octets.span, to: &writer)
    var text = Text<22>()
    text.append(digits.span)
    return text
  }
}

extension Response where Site: FormTokenApplication & ~Copyable {
  /// The form token of the visitor's session. Begins a token, and so the session, where there is none. No cache
  /// keeps the answer.
  ///
  ///     let token = response.formToken()
  ///     return response.html("<form method=\"POST\">\(token)<button>Send</button></form>")
  @_lifetime(self: copy self)
  public mutating func formToken() -> FormToken {
    keepFromCaches()
    return FormToken(text: session.beginFormToken())
  }
}

extension HTML.Interpolation {
  /// Adds the hidden field of a form's token.
  public mutating func appendInterpolation(_ token: FormToken) {
    appendLiteral("<input type=\"hidden\" name=\"form-token\" value=\"")
    appendInterpolation(token.text)
    appendLiteral("\">")
  }
}
