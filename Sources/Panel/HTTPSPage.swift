// The certificate: what is in use and until when, a new one, a request for another authority and its answer. And the
// page where everybody gets the certificate of the device's own authority, so that browsers no longer warn.

import Martlet

extension Panel {
  /// Shows the page, or does what its forms ask for.
  mutating func httpsPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    guard request.method == .post else { return Self.httpsForm(request, response, nil) }
    let moment = CertificateMoment.now
    let answer = request.form["answer"]
    var event: StaticString = "certificate_renewed"
    var notice = Notice.certificateRenewed
    do throws(CertificateTrouble) {
      var trouble: CertificateTrouble?
      if let answer {
        event = "certificate_uploaded"
        notice = .certificateUploaded
        trouble = try CertificateStore.install(moment) { answer.decode(into: &$0) }
      } else if request.form.has("own") {
        event = "certificate_upload_removed"
        notice = .authorityUsed
        trouble = try CertificateStore.useOwnAuthority(moment)
      } else if request.form.has("authority") {
        event = "authority_renewed"
        notice = .authorityRenewed
        trouble = try CertificateStore.renewAuthority(moment)
      } else if request.form.has("renew") {
        trouble = try CertificateStore.renew(moment)
      } else {
        return response.refuse(.unprocessableContent, "The form does not say what to do.")
      }
      if let user = request.user {
        Log.changed(event, user.name, request.client(for: request.user, trusting: proxies))
      }
      // It is in use, and does not outlive a restart.
      if let trouble { return Self.httpsForm(request, response, trouble) }
    } catch {
      return Self.httpsForm(request, response, error)
    }
    return response.redirect(to: .https, saying: notice)
  }

  /// The certificate of the own authority, for browsers.
  static func authorityFile(_ response: consuming Response<Panel>) -> Answer {
    guard !CertificateStore.authorityCertificate.isEmpty else { return refuseAuthority(response) }
    var body = response.body(mediaType: "application/x-x509-ca-cert")
    body.write(octets: CertificateStore.authorityCertificate)
    return body.end()
  }

  /// The request for a certificate of another authority.
  static func certificateRequest(_ response: consuming Response<Panel>) -> Answer {
    var text = FixedBuffer<3_072>()
    var writer = Writer(text.storageSpan)
    do throws(CertificateTrouble) {
      try CertificateStore.writeRequest(to: &writer)
    } catch {
      return response.refuse(.internalServerError, "The request cannot be made: \(error.words).")
    }
    guard writer.count > 0 else {
      return response.refuse(
        .notFound, "The certificate comes from files, so its key is not this program’s to ask with.")
    }
    let request = writer.span
    var body = response.body(mediaType: "application/x-pem-file")
    body.write(octets: request)
    return body.end()
  }

  /// Says how a browser gets to know the own authority.
  static func trustPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    guard let summary = CertificateStore.summary, summary.kind == .ownAuthority else {
      return refuseAuthority(response)
    }
    var body = response.page(.trust, request)
    body.write(
      """
      \(begin: .narrowCard)<h1>Trust this device</h1>
      \(begin: .lead)This device encrypts with a certificate of its own authority, which browsers do not know. Give it to \
      a browser once, and the browser no longer warns. The authority can only vouch for private addresses and this \
      device’s names.\(end: .lead)
      <p>The SHA-256 of its certificate must be:</p><code class="secret">\(fingerprint: summary.authorityFingerprint)</code>
      \(begin: .buttons)\(button: "Download the certificate", path: row(of: .authority).path)\(end: .buttons)
      \(end: .narrowCard)\(begin: .narrowCard)
      """)
    body.writeHelp(
      "Windows",
      "Open the file, “Install certificate”, “Local machine”, and choose the store “Trusted Root Certification Authorities”."
    )
    body.writeHelp(
      "macOS",
      "Open the file, so that Keychain Access keeps it. Open the certificate there, and under “Trust” choose “Always trust”."
    )
    body.writeHelp(
      "iPhone, iPad",
      """
      Open the file in Safari and allow the profile. In Settings install it under “Profile downloaded”, then switch it on \
      under General, About, Certificate trust settings.
      """)
    body.writeHelp(
      "Android",
      "In Settings search for “CA certificate”, install the file and confirm the warning.")
    body.writeHelp(
      "Firefox",
      "In Settings search for “certificates”, “View certificates”, “Authorities”, “Import”, and tick “websites”."
    )
    body.writeHelp(
      "Linux",
      """
      Chromium: Settings, Security, Manage certificates, Import. For all other programs: convert the file with \
      “openssl x509 -inform DER -in authority.crt -out /usr/local/share/ca-certificates/martlet.crt”, then run \
      update-ca-certificates.
      """)
    body.write("\(end: .narrowCard)")
    return body.finish()
  }

  private static func refuseAuthority(_ response: consuming Response<Panel>) -> Answer {
    response.refuse(.notFound, "The certificate in use is not of this device’s own authority.")
  }

  @inline(never)
  private static func httpsForm(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>, _ trouble: CertificateTrouble?
  ) -> Answer {
    guard let summary = CertificateStore.summary else { return refuseAuthority(response) }
    var body = response.page(.https, request, trouble == nil ? .ok : .unprocessableContent)
    body.write("\(begin: .narrowCard)<h1>HTTPS</h1>\n")
    if let trouble {
      // Words about a file name the file. All others are about what was asked for.
      let start: StaticString = trouble.file == .none ? "Nothing was changed: " : ""
      body.write("\(begin: .problem)\(markup: start)\(trouble.words).\(end: .problem)")
    }
    body.write(summary)
    switch summary.kind {
    case .none: break
    case .files:
      body.write(
        .note, "It comes from files. SIGHUP makes the program read them anew: systemctl reload martlet-panel."
      )
    case .ownAuthority:
      body.write(
        """
        \(begin: .note)It renews itself. Browsers know it once they have the authority’s certificate.\(end: .note)\
        \(begin: .buttons)\(button: "Make browsers trust it", path: row(of: .trust).path)\(end: .buttons)
        """)
      body.writeAction("renew", "Renew it now")
    case .uploaded: body.writeAction("own", "Use the device’s own authority again")
    }
    body.write("\(end: .narrowCard)")
    if summary.kind == .ownAuthority || summary.kind == .uploaded {
      body.write(
        """
        \(begin: .narrowCard)\(heading: "Another authority")
        <p>A company’s authority can vouch for this device: give it the request, and paste what it answers.</p>
        \(begin: .buttons)\(button: "Download the request", path: row(of: .certificateRequest).path)\(end: .buttons)
        \(begin: .form)<label for="answer">Its answer (PEM)</label>
        <textarea id="answer" name="answer" rows="6" spellcheck="false" required \
        placeholder="-----BEGIN CERTIFICATE-----">
        """)
      body.writeTyped(request)
      body.write(
        """
        </textarea>
        \(begin: .buttons)<button type="submit">Use it</button>\(end: .buttons)\(end: .form)
        <details><summary>Make a new authority</summary>
        <p>Every browser must then be given its certificate anew. The key becomes a new one as well, and an answer that was \
        used is removed. Do this when somebody may have copied this device’s files.</p>

        """)
      body.writeAction("authority", "Make a new authority")
      body.write("</details>\n\(end: .narrowCard)")
    }
    return body.finish()
  }
}

extension Body where Site == Panel {
  /// Writes what is in use.
  @inline(never)
  @_lifetime(self: copy self)
  fileprivate mutating func write(_ summary: CertificateSummary) {
    let kind: StaticString =
      switch summary.kind {
      case .none: ""
      case .files: "of files"
      case .ownAuthority: "of this device’s own authority"
      case .uploaded: "of another authority"
      }
    let end = HTTPDate(summary.notAfter)
    var names = FixedBuffer<1_024>()
    var writer = Writer(names.storageSpan)
    CertificateStore.writeNames(to: &writer)
    let text = writer.span
    write(
      """
      <p>A certificate \(markup: kind), until <b>\(end.span.extracting(5..<16))</b>, for \(text).</p>
      <p>SHA-256:</p><code class="secret">\(fingerprint: summary.fingerprint)</code>

      """)
    if !summary.isStored {
      write(.fault, "It could not be written to the data directory, so it lasts until the next start only.")
    }
    if !summary.permitsNames {
      write(.note, "The device has a new name. For addresses with that name, make a new authority.")
    }
    if summary.isWaiting { write(.note, "A newer one waits until older connections have ended.") }
  }

  /// Writes a form of one button.
  @inline(never)
  @_lifetime(self: copy self)
  fileprivate mutating func writeAction(_ name: StaticString, _ text: StaticString) {
    write(
      """
      \(begin: .form)<input type="hidden" name="\(markup: name)" value="1" hidden>\
      \(begin: .buttons)<button class="quiet" type="submit">\(markup: text)</button>\(end: .buttons)\(end: .form)
      """)
  }

  @inline(never)
  @_lifetime(self: copy self)
  fileprivate mutating func writeHelp(_ name: StaticString, _ text: StaticString) {
    write("<h3>\(markup: name)</h3><p class=\"help\">\(text)</p>\n")
  }

  /// Writes the answer that was typed, where the page has room for it. What has a private key is not shown again.
  @inline(never)
  @_lifetime(self: copy self)
  fileprivate mutating func writeTyped(_ request: borrowing Request<Panel>) {
    guard request.method == .post, let answer = request.form["answer"] else { return }
    var typed = FixedBuffer<6_144>()
    var writer = Writer(typed.storageSpan)
    var decoder = answer.decoder
    // Characters of HTML have several octets on the page.
    var count = 0
    let secret = ("PRIVATE KEY" as StaticString).octets
    var matched = 0
    while let octet = decoder.next() {
      writer.append(octet)
      matched = octet == secret[matched] ? matched + 1 : octet == secret[0] ? 1 : 0
      guard matched < secret.count else { return }
      switch octet {
      case "<", ">", "&", "\"", "'", 0x80...: count += 6
      default: count += 1
      }
    }
    guard !writer.overflowed, count <= 6_144 else { return }
    let text = writer.span
    write("\(text)")
  }
}

extension HTML.Interpolation {
  /// Adds a fingerprint, as browsers show it: pairs of digits with colons between.
  @inline(never)
  mutating func appendInterpolation(fingerprint: Digest) {
    for i in fingerprint.indices {
      if i > 0 { appendLiteral(":") }
      var digits = InlineArray<2, UInt8>(repeating: 0)
      digits[0] = ASCII.hexadecimal(fingerprint[i] >> 4, uppercase: true)
      digits[1] = ASCII.hexadecimal(fingerprint[i] & 15, uppercase: true)
      appendInterpolation(digits.span)
    }
  }
}
