// Answers with files: one file at a path that the program knows, or the file of a folder that a request names.
//
//     path of the request ── FilePath ──► openat2 below the folder ──► facts ──► validators
//     Accept-Encoding ──────────────────► NAME, NAME.gz or NAME.br
//     If-Match, If-None-Match, … ───────► 304, 412
//     Range, If-Range ──────────────────► one range, several parts, 416, or the whole

import MartletBytes
import MartletHTTP
import MartletServer

extension Response where Site: FileApplication & ~Copyable {
  /// Answers with a file of the system. The file is sent without being read into the program. A slow reader
  /// holds the file's descriptor and no memory.
  ///
  /// A missing file is answered with 404. A file that cannot be opened because descriptors have run out is
  /// answered with 503. A file that becomes shorter while it is sent ends the connection. Files without a
  /// length, such as those of `/proc`, are sent empty: use `stream` for them.
  ///
  /// - Parameters:
  ///   - mediaType: For example `application/octet-stream`.
  ///   - path: At most 511 octets, without a NUL; relative to the working directory. The path is not checked,
  ///     so it must not come from outside.
  public consuming func file(_ mediaType: StaticString, at path: Span<UInt8>) -> Answer {
    switch OpenFile.open(path) {
    case .file(let descriptor, let count):
      setMediaType(mediaType)
      return answer(.ok, .none, .file(FileContent(descriptor: descriptor, count: count)))
    case .notNow:
      return refuse(.serviceUnavailable, "This device is busy. Try again in a few seconds.", retryAfter: 5)
    case .notThere: return refuse(.notFound, "There is no such file here.")
    }
  }

  /// Answers with the file of a folder that the rest of the request's path names. The page's pattern ends with
  /// a parameter of the type `path`, and its route answers GET.
  ///
  ///     case .files: .get("/files/<path:rest>", for: .everyone)
  ///     …
  ///     case .files: response.file(from: folder, request)
  ///
  /// No path leads out of the folder. A path with an empty name, `.`, `..`, a backslash, a control or an encoded
  /// slash is answered with 404. So is whatever is no regular file. `StaticFolder` says what else is not sent.
  ///
  /// Where the `StaticFolder` has an index, a path that names a folder is redirected to the path with a slash. The
  /// answer there is the folder's index.
  ///
  /// The answer has the media type of the name's suffix, ETag, Last-Modified and Accept-Ranges. Conditional
  /// requests are answered with 304 or 412. A request for one range or several is answered with 206 or 416. A
  /// variant `NAME.br` or `NAME.gz` is sent to a client that accepts its coding, when the variant is not older
  /// than the file.
  ///
  /// For everyone's pages the answer has `Cache-Control: no-cache`: a browser keeps the file, and asks each time
  /// whether it is current. `cache(forSeconds:)` lets the browser not ask for a while. On other pages, and after
  /// `setCookie`, no cache keeps the answer.
  ///
  /// - Complexity: Up to three calls of `openat2`, which may wait for the disk. Sending does not wait for the
  ///   disk on file systems that can tell what is in memory (ext4, XFS, Btrfs).
  public consuming func file(
    from folder: StaticFolder, _ request: borrowing Request<Site>
  ) -> Answer {
    guard let rest = request.rest else { stop("the pattern of a page of files ends with a path") }
    return file(folder, rest.encoded, isEncoded: true, request)
  }

  /// Answers with a file of a folder, as `file(from:_:)` does.
  ///
  ///     case .index: response.file(from: folder, at: "index.html", request)
  ///
  /// - Parameters:
  ///   - folder: The folder.
  ///   - path: A path below the folder, not encoded; the rules for names hold for it as well.
  ///   - request: The request, whose conditions and ranges count.
  public consuming func file(
    from folder: StaticFolder, at path: StaticString, _ request: borrowing Request<Site>
  ) -> Answer {
    file(folder, path.octets, isEncoded: false, request)
  }

  private consuming func file(
    _ folder: StaticFolder, _ path: Span<UInt8>, isEncoded: Bool, _ request: borrowing Request<Site>
  ) -> Answer {
    var name = FixedBuffer<511>()
    guard FilePath.append(path, isEncoded: isEncoded, in: folder, to: &name) else { return notThere() }
    var file = FolderFile()
    switch file.open(name.span, below: folder.descriptor) {
    case .open: return send(file, &name, folder, request)
    case .isFolder where folder.index.utf8CodeUnitCount > 0: return redirectToFolder(request)
    case .isFolder, .notThere: return notThere()
    case .notNow:
      return refuse(.serviceUnavailable, "This device is busy. Try again in a few seconds.", retryAfter: 5)
    }
  }

  private consuming func notThere() -> Answer { refuse(.notFound, "There is no such file here.") }

  /// Redirects to the request's path with a slash at its end. Octets that no URI may have are encoded.
  private consuming func redirectToFolder(_ request: borrowing Request<Site>) -> Answer {
    if hasLocation { PageText.misuse() }
    hasLocation = true
    fields.append("Location: ")
    fields.append(PageText.prefix)
    appendURI(request.path)
    fields.append("/")
    if let query = request.incoming.head.target.query {
      fields.append("?")
      appendURI(request.incoming.octets[query])
    }
    fields.append("\r\n")
    return answer(.permanentRedirect, .none)
  }

  @_lifetime(self: copy self)
  private mutating func appendURI(_ octets: Span<UInt8>) {
    for i in octets.indices {
      if ASCII.isURIOctet(octets[i]) {
        fields.append(octets[i])
      } else {
        fields.append(percentEncoded: octets[i])
      }
    }
  }

  /// Answers with an open file, or with a variant of it.
  private consuming func send(
    _ original: FolderFile, _ name: inout FixedBuffer<511>, _ folder: StaticFolder,
    _ request: borrowing Request<Site>
  ) -> Answer {
    let headers = request.headers
    let now = request.time
    var file = original
    var coding = ContentCoding.identity
    if folder.hasVariants {
      let size = name.count
      let gzip = FolderFile.variant(of: original, &name, ".gz", below: folder.descriptor)
      let brotli = FolderFile.variant(of: original, &name, ".br", below: folder.descriptor)
      name.setCount(size)
      coding = headers.contentCoding(hasGzip: gzip.isOpen, hasBrotli: brotli.isOpen)
      if gzip.isOpen || brotli.isOpen { fields.append("Vary: Accept-Encoding\r\n") }
      switch coding {
      case .identity: break
      case .gzip: file = gzip
      case .brotli: file = brotli
      }
      if coding != .identity { original.close() }
      if coding != .gzip { gzip.close() }
      if coding != .brotli { brotli.close() }
    }
    var tag = InlineArray<96, UInt8>(repeating: 0)
    var writer = Writer(tag.mutableSpan)
    file.writeTag(coding, to: &writer)
    let tagSize = writer.count
    let validators = Validators(
      tag: tag.span.extracting(first: tagSize), lastModified: file.seconds <= now ? file.seconds : nil)
    let method = request.incoming.head.method
    let precondition = headers.precondition(method, validators, now: now)
    if precondition == .failed {
      file.close()
      return refuse(.preconditionFailed, "The file is another one than the request expects.")
    }
    appendValidators(validators)
    if precondition == .notModified {
      file.close()
      return answer(ofFile: .notModified, .written)
    }
    let type = MediaType.of(name.span, folder.types)
    switch headers.ranges(method, size: file.size, validators, now: now) {
    case .whole: break
    case .unsatisfiable:
      file.close()
      fields.append("Content-Range: bytes */")
      fields.append(decimal: file.size)
      fields.append("\r\n")
      return refuse(.rangeNotSatisfiable, "The file has no octets there.")
    case .ranges(let ranges):
      if ranges.count == 1 {
        fields.append(contentRange: ranges[0], of: file.size)
        appendRepresentation(type, coding)
        return answer(
          ofFile: .partialContent, .file(FileContent(descriptor: file.descriptor, ranges[0])))
      }
      var parts = FileParts(ranges, of: file.size, type)
      if let list = FilePartsTable(memory).insert(&parts) {
        var boundary = InlineArray<72, UInt8>(repeating: 0)
        var writer = Writer(boundary.mutableSpan)
        writer.append("multipart/byteranges; boundary=")
        parts.writeBoundary(to: &writer)
        let size = writer.count
        appendRepresentation(boundary.span.extracting(first: size), coding)
        return answer(
          ofFile: .partialContent,
          .file(FileContent(descriptor: file.descriptor, list: list, count: parts.contentCount())))
      }
    }
    appendRepresentation(type, coding)
    return answer(ofFile: .ok, .file(FileContent(descriptor: file.descriptor, count: file.size)))
  }

  @_lifetime(self: copy self)
  private mutating func appendValidators(_ validators: borrowing Validators) {
    fields.append("Accept-Ranges: bytes\r\nETag: ")
    fields.append(validators.tag)
    if let date = validators.lastModified {
      fields.append("\r\nLast-Modified: ")
      fields.append(httpDate: date)
    }
    fields.append("\r\n")
  }

  /// Answers with headers that let a browser keep everyone's file.
  private consuming func answer(ofFile status: Status, _ content: Reply.Kind) -> Answer {
    guard cacheSeconds == -1 else { return answer(status, .none, content) }
    fields.append("Cache-Control: no-cache\r\n")
    return finished(status, .none, content, isPublic: true)
  }
}

extension Response where Site: ~Copyable {
  /// Writes the media type and the coding. The media type is never guessed by a browser.
  @_lifetime(self: copy self)
  mutating func appendRepresentation(_ type: Span<UInt8>, _ coding: ContentCoding) {
    fields.append("Content-Type: ")
    fields.append(type)
    fields.append("\r\n")
    if FieldSection(Site.headers.octets).count(of: "X-Content-Type-Options") == 0 {
      fields.append("X-Content-Type-Options: nosniff\r\n")
    }
    if coding != .identity { fields.append(field: "Content-Encoding", value: coding.name) }
  }
}

extension Writer {
  /// Writes a Content-Range field (RFC 9110 §14.4).
  @_lifetime(self: copy self)
  mutating func append(contentRange range: Range<Int64>, of size: Int64) {
    append("Content-Range: bytes ")
    append(decimal: range.lowerBound)
    append("-")
    append(decimal: range.upperBound - 1)
    append("/")
    append(decimal: size)
    append("\r\n")
  }
}
