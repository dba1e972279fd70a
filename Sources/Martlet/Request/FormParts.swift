// A form in parts on the page of an upload: its decoder, its length, and the refusals of `receive`.

import MartletBytes
public import MartletHTTP
public import MartletServer

extension Request where Site: ~Copyable {
  /// Octets of the content, as the request states them; `nil` for content in chunks. With the octets that an
  /// upload has received, the page knows the progress.
  public var contentLength: Int? {
    switch incoming.head.framing {
    case .none: 0
    case .length(let count): count
    case .chunked: nil
    }
  }

  /// A decoder for the form in parts that the request brings, for the page of an upload.
  ///
  ///     let form = try request.multipart()
  ///     return response.receive(atMost: 8_000_000, into: UploadState(form: form))
  ///
  /// - Throws: `.mediaTypeUnknown` where the content is no multipart/form-data, or `.boundaryMalformed`.
  public func multipart() throws(MultipartRefusal) -> MultipartDecoder {
    try MultipartDecoder(mediaType: incoming.mediaType)
  }
}

extension UploadStep {
  /// Refuses the request because of its form.
  public static func refuse(_ refusal: MultipartRefusal) -> UploadStep {
    .refuse(refusal.status, refusal.reason)
  }

  /// Refuses the request because a file cannot be written, with the error's own status (`FileError.status`).
  public static func refuse(_ error: FileError) -> UploadStep {
    switch error.reason {
    case .tooLarge: .refuse(error.status, "The file is too large.")
    case .diskFull, .readOnly: .refuse(error.status, "There is no room for the file.")
    default: .refuse(error.status, "The file cannot be written.")
    }
  }
}
