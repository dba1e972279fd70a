# shellcheck shell=bash
# Packages from Debian's archive for other machines than this one. Read with `source` after
# common.bash. Nothing is installed, and nothing needs root.
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The addresses of Debian's archive and of its security updates: as this machine's apt has them, or
# beside the one given.
archives() {
  local given=${MARTLET_DEBIAN_ARCHIVE:-} known main security
  known=$(apt-get indextargets --format "\$(ORIGIN) \$(REPO_URI)" 'Created-By: Packages' |
    awk '$1 == "Debian" { print $2 }')
  # Before the first `apt-get update` apt knows no more than where it would look.
  [ -n "$known" ] || known=$(apt-get update --print-uris 2>/dev/null |
    sed -nE "s,^'([^']*/debian(-security)?/)dists/.*,\1,p" | sort -u)
  main=${given:-$(grep -v security <<<"$known" | head -n 1)}
  [ -n "$main" ] || fail "apt knows no Debian archive here; run apt-get update, or give the" \
    "archive's address in MARTLET_DEBIAN_ARCHIVE."
  security=$([ -n "$given" ] || grep security <<<"$known" | head -n 1)
  printf '%s %s\n' "${main%/}" "${security:-${main%/}-security}"
}

# private_apt FOLDER ARCHITECTURE ARGUMENT...: apt-get that knows nothing of this machine's packages.
private_apt() {
  local folder=$1 architecture=$2
  shift 2
  apt-get -q -o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferencesparts=/dev/null -o Dir::Etc::preferences=/dev/null \
    -o Dir::State="$folder/state" -o Dir::State::status="$folder/status" \
    -o Dir::Cache="$folder/cache" -o APT::Architecture="$architecture" \
    -o APT::Architectures="$architecture" -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Retries=3 -o APT::Update::Error-Mode=any "$@"
}

# list_packages FOLDER ARCHITECTURE KIND SUITE: fetches the archive's list of packages. Where the
# security updates alone are out of order, as after a release for a day or two, it goes without them
# and leaves a file `without-security`.
list_packages() {
  local folder=$1 kind="$3 [signed-by=$keyring]" suite=$4 main security
  read -r main security < <(archives)
  mkdir -p "$folder"/{state/lists/partial,cache/archives/partial,files}
  rm -f "$folder/without-security"
  : >"$folder/status"
  printf '%s\n' "$kind $main $suite main" "$kind $main $suite-updates main" \
    "$kind $security $suite-security main" >"$folder/sources.list"
  if ! private_apt "$folder" "$2" update; then
    sed -i '/-security /d' "$folder/sources.list"
    private_apt "$folder" "$2" update
    touch "$folder/without-security"
  fi
}

# say_if_without_security FOLDER OPTION: OPTION is what asks for newer packages.
say_if_without_security() {
  if [ -e "$1/without-security" ]; then
    say "Note: Debian's security updates for ${1##*/} were out of order in the archive, so these are" \
      "the release's packages; $2 asks again."
  fi
}
