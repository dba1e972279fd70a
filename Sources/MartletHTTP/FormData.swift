// A whole form in parts → the same form as application/x-www-form-urlencoded, so that one reader
// (`FormFields`) reads both. Only the four octets that mean something there are percent-encoded: `%`, `+`,
// `&`, `=`.

package import MartletBytes

/// A form in parts whose content is whole.
package enum FormData {
  /// Writes the form's fields in their order. The value of a file is the file's content; its name is left
  /// out.
  ///
  /// - Parameters:
  ///   - content: The content of the request.
  ///   - mediaType: The value of the request's Content-Type.
  ///   - writer: Where the fields go.
  /// - Throws: The reason why the form is refused; `.tooLarge` where the fields do not fit.
  @_lifetime(writer: copy writer)
  package static func write(
    _ content: Span<UInt8>, mediaType: Span<UInt8>, to writer: inout Writer
  ) throws(MultipartRefusal) {
    var decoder = try MultipartDecoder(mediaType: mediaType)
    var rest = content
    while let event = try decoder.next(&rest) {
      switch event {
      case .part(let part):
        if writer.count > 0 { writer.append(0x26) }
        append(part.name, to: &writer)
        writer.append(0x3D)
      case .octets(let octets): append(octets, to: &writer)
      case .partEnd: break
      }
    }
    try decoder.checkEnd()
    if writer.overflowed { throw .tooLarge }
  }

  @inline(never)
  @_lifetime(writer: copy writer)
  private static func append(_ octets: Span<UInt8>, to writer: inout Writer) {
    for i in octets.indices {
      switch octets[i] {
      case "%", "+", "&", "=": writer.append(percentEncoded: octets[i])
      default: writer.append(octets[i])
      }
    }
  }
}
