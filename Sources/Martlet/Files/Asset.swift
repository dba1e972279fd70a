// Files that are part of the program. The build-tool plugin MartletPlugin writes an `Asset` for each file of a
// target's folder `Assets`; here they are answered.
//
//     path of the request ──► an asset's path ──────────► kept for a year: the path has a hash of the content
//                         └─► the name of its file ─────► kept, and asked for again each time
//     Accept-Encoding ──────► the octets, or the octets in gzip
//     If-Match, If-None-Match ──► 304, 412

public import MartletBytes
import MartletHTTP
import MartletServer

/// A file that is part of the program: a style sheet, a script, a picture.
///
/// The build writes such values (`Assets.styleCss` for the file `Assets/style.css`), so a page that names a file
/// which is not there does not compile. A page links an asset by its path:
///
///     body.write("<link rel=\"stylesheet\" href=\"\(Assets.styleCss)\">")
public struct Asset: BitwiseCopyable, Sendable {
  /// The path, with a hash of the content: `/assets/style-1a2b3c4d.css`. A file with another content has another
  /// path.
  public let path: StaticString
  /// The path of the file below the folder `Assets`, such as `style.css`.
  public let name: StaticString
  /// The media type, such as `text/css; charset=utf-8`.
  public let mediaType: StaticString
  /// The entity tag of the content, and of the content in gzip, each with its quotation marks.
  let tag: StaticString
  let gzipTag: StaticString
  /// The octets of the file.
  public let content: ConstantOctets
  /// The content in gzip; empty where gzip saves too little.
  public let gzip: ConstantOctets

  /// Makes an asset. The build calls this function.
  public init(
    path: StaticString, name: StaticString, mediaType: StaticString, tag: StaticString,
    gzipTag: StaticString, content: ConstantOctets, gzip: ConstantOctets = ConstantOctets("")
  ) {
    self.path = path
    self.name = name
    self.mediaType = mediaType
    self.tag = tag
    self.gzipTag = gzipTag
    self.content = content
    self.gzip = gzip
  }
}

/// All assets of a target. The build writes one such type, named `Assets`.
public protocol AssetFolder {
  /// The asset with that number, counted from 0; `nil` after the last asset.
  static func asset(number: Int) -> Asset?
}

extension AssetFolder {
  /// The route of the page that answers with the assets.
  ///
  ///     case .assets: Assets.route
  public static var route: Route { .get("/assets/<path:name>", for: .everyone) }

  /// Finds an asset.
  ///
  /// - Parameter rest: A path below `/assets/`.
  /// - Returns: The asset, and whether the path has the hash of its content.
  /// - Complexity: O(n) in the number of assets.
  static func find(_ rest: Span<UInt8>) -> (asset: Asset, hasHash: Bool)? {
    let folder: StaticString = "/assets/"
    var number = 0
    while let asset = asset(number: number) {
      let path = asset.path.octets
      if path.extracting(folder.utf8CodeUnitCount..<path.count).equals(rest) { return (asset, true) }
      if rest.equals(asset.name) { return (asset, false) }
      number += 1
    }
    return nil
  }
}

extension Response where Site: ~Copyable {
  /// Answers with the asset that the path of the request names. For the page with the route `Assets.route`.
  ///
  ///     case .assets: response.asset(from: Assets.self, request)
  ///
  /// The path of an asset has a hash of its content, so that a browser may keep the answer for a year without
  /// asking. The name of the file is answered as well (`/assets/style.css`), for a style sheet that names a
  /// picture beside it. There the browser asks each time whether its copy is current. Any other path gets 404.
  ///
  /// A client that accepts gzip gets the octets that the build has compressed. The answer has an ETag, and
  /// conditional requests are answered with 304 or 412. The octets are sent from where they lie, without a copy.
  public consuming func asset<Folder: AssetFolder>(
    from folder: Folder.Type, _ request: borrowing Request<Site>
  ) -> Answer {
    guard let rest = request.rest, let found = Folder.find(rest.encoded) else {
      return refuse(.notFound, "There is no such file here.")
    }
    return send(found.asset, isForever: found.hasHash, request)
  }

  /// Answers with an asset at a path that never changes, such as `/favicon.ico`. A browser keeps the answer, and
  /// asks each time whether it is current. `cache(forSeconds:)` lets the browser not ask for a while.
  ///
  ///     case .icon: response.asset(Assets.faviconIco, request)
  public consuming func asset(_ asset: Asset, _ request: borrowing Request<Site>) -> Answer {
    send(asset, isForever: false, request)
  }

  // Not inlined: the program then contains it once.
  @inline(never)
  private consuming func send(
    _ asset: Asset, isForever: Bool, _ request: borrowing Request<Site>
  ) -> Answer {
    let headers = request.headers
    let hasGzip = asset.gzip.count > 0
    let coding = headers.contentCoding(hasGzip: hasGzip, hasBrotli: false)
    if hasGzip { fields.append("Vary: Accept-Encoding\r\n") }
    let tag = coding == .gzip ? asset.gzipTag : asset.tag
    let validators = Validators(tag: tag.octets, lastModified: nil)
    let precondition = headers.precondition(request.incoming.head.method, validators, now: request.time)
    if precondition == .failed {
      return refuse(.preconditionFailed, "The file is another one than the request expects.")
    }
    fields.append(field: "ETag", value: tag)
    if precondition == .notModified { return answer(ofAsset: .notModified, isForever, .written) }
    appendRepresentation(asset.mediaType.octets, coding)
    return answer(ofAsset: .ok, isForever, .data(coding == .gzip ? asset.gzip : asset.content))
  }

  /// Answers with headers that let a browser keep everyone's asset.
  private consuming func answer(
    ofAsset status: Status, _ isForever: Bool, _ content: Reply.Kind
  ) -> Answer {
    guard cacheSeconds == -1 else { return answer(status, .none, content) }
    fields.append(
      field: "Cache-Control", value: isForever ? "public, max-age=31536000, immutable" : "no-cache")
    return finished(status, .none, content, isPublic: true)
  }
}

extension HTML.Interpolation {
  /// Adds the path of an asset. The path under which browsers see the program is written before it.
  public mutating func appendInterpolation(_ asset: Asset) { appendInterpolation(path: asset.path) }
}
