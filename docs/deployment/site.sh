#!/bin/sh
# Stock OHIF with Overread behind nginx, over Orthanc with a password: on one machine, without containers.
#
#   sh site.sh up FOLDER        starts Orthanc and nginx; makes a release first where there is none
#   sh site.sh release FOLDER   writes another release from the installed Overread, and switches to it
#   sh site.sh back FOLDER      switches to the release before
#
# Everything lies in FOLDER: passwords, images, releases. Variables: BASE=/viewer/ PORT=8080 ADDRESS=127.0.0.1
# ORTHANC_PORT=8042 SETTINGS=overread.json (Overread's settings) OVERREAD="npx overread" (the command).
# Needs nginx, Orthanc and its DICOMweb plugin: apt-get install nginx-light orthanc orthanc-dicomweb
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 2 ] || { sed -n '2,11p' "$0" >&2; exit 1; }
mkdir -p "$2"
folder=$(cd "$2" && pwd)
BASE=${BASE:-/viewer/} PORT=${PORT:-8080} ADDRESS=${ADDRESS:-127.0.0.1} ORTHANC_PORT=${ORTHANC_PORT:-8042}

release() {
  name="release-$(date +%Y%m%d-%H%M%S)"
  # Whole, or not at all: current is switched when everything is there.
  ${OVERREAD:-npx overread} site --out "$folder/$name" --base-path "$BASE" --dicomweb /dicom-web ${SETTINGS:+--settings "$SETTINGS"}
  switch "$name"
}

switch() {
  [ ! -L "$folder/current" ] || ln -sfn "$(readlink "$folder/current")" "$folder/before"
  ln -sfn "$1" "$folder/current"
  # The policy is part of a release.
  [ ! -f "$folder/run/nginx.pid" ] || kill -HUP "$(cat "$folder/run/nginx.pid")"
  echo "current is $1"
}

configure() {
  # nginx's workers are another user; passwords and images stay this one's.
  chmod a+rx "$folder"
  mkdir -p -m 700 "$folder/orthanc"
  mkdir -p "$folder/run" "$folder/www$BASE"
  rmdir "$folder/www$BASE" 2>/dev/null || true
  ln -sfn "$folder/current/html" "$folder/www${BASE%/}"
  if [ ! -f "$folder/password" ]; then
    (umask 077; head -c 18 /dev/urandom | base64 | tr -d '/+\n' > "$folder/password")
  fi
  password=$(cat "$folder/password")
  (umask 077; printf 'proxy_set_header Authorization "Basic %s";\n' "$(printf 'overread:%s' "$password" | base64 | tr -d '\n')" > "$folder/authorization.conf")
  (umask 077; sed -e "s|@FOLDER@|$folder|g" -e "s|@ORTHANC_PORT@|$ORTHANC_PORT|g" -e "s|@PASSWORD@|$password|g" "$here/orthanc.json" > "$folder/orthanc.json")
  sed -e "s|@FOLDER@|$folder|g" -e "s|@BASE@|$BASE|g" -e "s|@PORT@|$PORT|g" -e "s|@ADDRESS@|$ADDRESS|g" -e "s|@ORTHANC_PORT@|$ORTHANC_PORT|g" "$here/nginx.conf" > "$folder/nginx.conf"
}

up() {
  [ -L "$folder/current" ] || release
  configure
  : > "$folder/run/orthanc.log"
  Orthanc "$folder/orthanc.json" > "$folder/run/orthanc.log" 2>&1 &
  orthanc=$!
  trap 'kill $orthanc 2>/dev/null; [ ! -f "$folder/run/nginx.pid" ] || kill "$(cat "$folder/run/nginx.pid")"; exit 0' INT TERM
  until grep -q 'Orthanc has started' "$folder/run/orthanc.log"; do
    kill -0 $orthanc 2>/dev/null || { cat "$folder/run/orthanc.log" >&2; exit 1; }
    sleep 0.2
  done
  nginx -c "$folder/nginx.conf" -e "$folder/run/error.log" &
  echo "Overread is at http://$ADDRESS:$PORT$BASE"
  wait $!
}

case "$1" in
  up) up ;;
  release) release ;;
  back)
    [ -L "$folder/before" ] || { echo "There is no release before the current one." >&2; exit 1; }
    switch "$(readlink "$folder/before")"
    ;;
  *) sed -n '2,11p' "$0" >&2; exit 1 ;;
esac
