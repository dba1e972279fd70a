// The security headers of one page: Content-Security-Policy (CSP level 3), X-Frame-Options, Referrer-Policy and
// X-Content-Type-Options. A script in the page is allowed by the hash of its text.

import MartletBytes
import MartletToken

/// The security headers of a page (`PagePolicyApplication`).
///
///     static let clock: StaticString = "setInterval(() => { … }, 1000)"
///
///     static func policy(of page: Page) -> PagePolicy {
///       switch page {
///       case .clock: PagePolicy(inlineScript: clock)
///       case .map: PagePolicy(images: "'self' https://tile.example", framedBy: "'self'")
///       default: .standard
///       }
///     }
///
/// The values are source lists of CSP: `'self'`, `'none'`, `https://tile.example`, `'sha256-…'`. Each source that
/// is not named stays forbidden. Lines of `headers` with other names are sent as well.
public struct PagePolicy: Sendable {
  private let scripts: StaticString
  private let styles: StaticString
  private let images: StaticString
  private let framedBy: StaticString
  private let referrer: StaticString
  private let directives: StaticString
  private let inlineScript: StaticString
  private let inlineStyle: StaticString
  private let isStandard: Bool

  /// The headers that `headers` of the application says.
  public static var standard: PagePolicy { PagePolicy(isStandard: true) }

  /// Headers that differ from the default in what the parameters say.
  ///
  /// - Parameters:
  ///   - scripts: Where scripts may come from.
  ///   - styles: Where styles may come from. The default allows styles in the page.
  ///   - images: Where pictures may come from.
  ///   - framedBy: Which pages may frame the page. X-Frame-Options says `DENY` for `'none'`, `SAMEORIGIN` for
  ///     `'self'`, and is not sent for anything else.
  ///   - referrer: The value of Referrer-Policy.
  ///   - directives: More directives with `; ` between, such as `connect-src 'self' https://api.example`.
  ///   - inlineScript: The text of a script in the page. The page writes it with `\(markup:)` between
  ///     `<script>` and `</script>`, and nothing else there. Its SHA-256 is computed for each answer.
  ///   - inlineStyle: The text of a style in the page, between `<style>` and `</style>`. No other style in the page
  ///     counts then.
  public init(
    scripts: StaticString = "'self'", styles: StaticString = "'self' 'unsafe-inline'",
    images: StaticString = "'self' data:", framedBy: StaticString = "'none'",
    referrer: StaticString = "same-origin", directives: StaticString = "", inlineScript: StaticString = "",
    inlineStyle: StaticString = ""
  ) {
    self.init(
      scripts: scripts, styles: styles, images: images, framedBy: framedBy, referrer: referrer,
      directives: directives, inlineScript: inlineScript, inlineStyle: inlineStyle, isStandard: false)
  }

  private init(
    scripts: StaticString = "", styles: StaticString = "", images: StaticString = "",
    framedBy: StaticString = "", referrer: StaticString = "", directives: StaticString = "",
    inlineScript: StaticString = "", inlineStyle: StaticString = "", isStandard: Bool
  ) {
    self.scripts = scripts
    self.styles = styles
    self.images = images
    self.framedBy = framedBy
    self.referrer = referrer
    self.directives = directives
    self.inlineScript = inlineScript
    self.inlineStyle = inlineStyle
    self.isStandard = isStandard
  }

  /// Writes the headers, and those of `others` that the policy does not set.
  @inline(never)
  @_lifetime(fields: copy fields)
  func write(_ others: StaticString, to fields: inout Writer) {
    if isStandard { return fields.append(others) }
    var lines = Lines(others.octets)
    while let line = lines.next() {
      if Self.sets(line.extracting(first: line.firstIndex(of: 0x3A) ?? line.count)) { continue }
      fields.append(line)
      fields.append("\n")
    }
    fields.append("Content-Security-Policy: default-src 'self'; script-src ")
    Self.write(scripts, inline: inlineScript, to: &fields)
    fields.append("; style-src ")
    Self.write(styles, inline: inlineStyle, to: &fields)
    fields.append("; img-src ")
    fields.append(images)
    fields.append("; object-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors ")
    fields.append(framedBy)
    if directives.utf8CodeUnitCount > 0 {
      fields.append("; ")
      fields.append(directives)
    }
    fields.append("\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: ")
    fields.append(referrer)
    fields.append("\r\n")
    if framedBy.octets.equals("'none'") {
      fields.append("X-Frame-Options: DENY\r\n")
    } else if framedBy.octets.equals("'self'") {
      fields.append("X-Frame-Options: SAMEORIGIN\r\n")
    }
  }

  /// Whether the policy sets a header.
  private static func sets(_ name: Span<UInt8>) -> Bool {
    let all: StaticString =
      "Content-Security-Policy\nX-Content-Type-Options\nX-Frame-Options\nReferrer-Policy"
    var names = Lines(all.octets)
    while let own = names.next() { if own.equalsIgnoringCase(name) { return true } }
    return false
  }

  /// Writes a source list, and the hash of what stands in the page (CSP level 3 §2.3.1): base64 of its SHA-256.
  @_lifetime(fields: copy fields)
  private static func write(_ sources: StaticString, inline text: StaticString, to fields: inout Writer) {
    fields.append(sources)
    guard text.utf8CodeUnitCount > 0 else { return }
    var hash = SHA256()
    hash.update(text.octets)
    let digest = hash.finish()
    var digits = InlineArray<43, UInt8>(repeating: 0)
    var writer = Writer(digits.mutableSpan)
    Base64URL.encode(digest.span, to: &writer)
    for i in digits.indices {
      switch digits[i] {
      case "-": digits[i] = 0x2B  // +
      case "_": digits[i] = 0x2F  // /
      default: continue
      }
    }
    fields.append(" 'sha256-")
    fields.append(digits.span)
    fields.append("='")
  }
}
