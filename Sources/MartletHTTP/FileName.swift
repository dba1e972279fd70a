// The name of a file as a client sends it → a name that a folder may have. A client may send any octets:
// `../../etc/passwd`, `C:\Users\me\photo.jpg`, `.profile`, an empty name (RFC 7578 §4.2).

import MartletBytes

/// The name of a file that a client has sent, without any path before it.
///
///     guard let name = FileName(part.fileName) else { … }
///     try writer.finish(as: name.span)
///
/// Only names that are safe to use in a folder become a value of this type.
public struct FileName: BitwiseCopyable, Equatable, Sendable {
  private let text: FileNameText

  /// Makes a name from the last component of what a client has sent: the octets behind the last slash or
  /// backslash.
  ///
  /// - Parameters:
  ///   - sent: What the client has sent, any octets; `nil` for a part that is no file.
  ///   - allowsHidden: Whether the name may begin with a full stop.
  /// - Returns: `nil` for an empty name, `.`, `..`, and a name that begins with a full stop. `nil` as well for a
  ///   control octet, for ill-formed UTF-8, and for more octets than `Limits.fileNameSizeMax`.
  public init?(_ sent: Span<UInt8>?, allowsHidden: Bool = false) {
    guard let sent else { return nil }
    var start = sent.count
    while start > 0, sent[start - 1] != "/", sent[start - 1] != "\\" { start &-= 1 }
    let name = sent.extracting(start..<sent.count)
    guard name.count > 0, allowsHidden || name[0] != ".", !name.equals("."), !name.equals(".."),
      name.firstControl() == nil, name.isUTF8, let text = FileNameText(name)
    else { return nil }
    self.text = text
  }

  /// The name's octets.
  public var span: Span<UInt8> {
    // Addressable, as in `Text`: the span points into this value.
    @_addressableSelf @_lifetime(borrow self) get { text.span }
  }
}
