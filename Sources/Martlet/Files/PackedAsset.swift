// Files that are part of the program in gzip only: a third of the size of a style sheet. The build-tool plugin
// MartletPlugin writes a `PackedAsset` for each file of a target's folder `PackedAssets`; here they are answered.
//
//     Accept-Encoding ──────► gzip, from where it lies ─── or else the content, unpacked into the response
//     path of the request ──► the asset's own path: kept for a year, because the path has a hash of the content

public import MartletBytes
import MartletHTTP
import MartletServer

/// A text file that is part of the program in gzip only.
///
/// Each browser accepts gzip. For a client that does not, the content is unpacked into its response. Where a program
/// has more than some 2 KB of such files, it is smaller than with an `Asset` for each file.
///
/// The build writes such values (`PackedAssets.styleCss` for the file `PackedAssets/style.css`). A page answers with
/// one, and its route is the path of the asset:
///
///     case .style: .get(PackedAssets.styleCss.path, for: .everyone)
///     …
///     case .style: response.asset(PackedAssets.styleCss, request)
public struct PackedAsset: BitwiseCopyable, Sendable {
  /// The path, with a hash of the content: `/assets/style-1a2b3c4d.css`. A file with another content has another
  /// path.
  public let path: StaticString
  /// The media type, such as `text/css; charset=utf-8`.
  public let mediaType: StaticString
  /// The content in gzip, in one literal.
  public let gzip: ConstantOctets

  /// Makes an asset. The build calls this function.
  public init(path: StaticString, mediaType: StaticString, gzip: ConstantOctets) {
    self.path = path
    self.mediaType = mediaType
    self.gzip = gzip
  }
}

extension Response where Site: ~Copyable {
  /// Answers with a file that is part of the program in gzip.
  ///
  ///     case .style: response.asset(PackedAssets.styleCss, request)
  ///
  /// At the path of the asset, on a page for everyone, a browser may keep the answer for a year without asking. At
  /// another path, or for a visitor who is logged in, the answer is kept nowhere, unless `cache(forSeconds:)` says so.
  // Not inlined: the program then contains it once.
  @inline(never)
  public consuming func asset(_ asset: PackedAsset, _ request: borrowing Request<Site>) -> Answer {
    var content = Reply.Kind.written
    fields.append("Vary: Accept-Encoding\r\n")
    setMediaType(asset.mediaType)
    if request.headers.acceptsGzip {
      fields.append("Content-Encoding: gzip\r\n")
      content = .data(asset.gzip)
    } else {
      PageText.append(gzip: asset.gzip.octets())
      contentCount = PageText.count
    }
    if cacheSeconds == -1, request.path.equals(asset.path) { cache(forSeconds: 365 * 86_400) }
    return answer(.ok, .none, content)
  }
}

extension HTML.Interpolation {
  /// Adds the path of an asset. The path under which browsers see the program is written before it.
  public mutating func appendInterpolation(_ asset: PackedAsset) { appendInterpolation(path: asset.path) }
}
