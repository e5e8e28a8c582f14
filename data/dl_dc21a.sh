#!/bin/sh
# Download the data challenge 2021a from AVISO: bash dl_dc21a.sh username password path/to/save/dir
#
# While a command runs, anyone on the machine can read its words. This one is over at once: it hands the password on in
# the environment, which is private, and becomes dl_dc21a.py. A shell that keeps its history still keeps the password:
# a credentials file is better.
set -eu
if [ "$#" -lt 3 ]; then
    echo "usage: bash dl_dc21a.sh username password path/to/save/dir" >&2
    exit 2
fi
AVISO_USERNAME=$1 AVISO_PASSWORD=$2 save_dir=$3
export AVISO_USERNAME AVISO_PASSWORD
shift 3
exec "${PYTHON:-python}" "$(dirname "$0")/dl_dc21a.py" --save-dir "$save_dir" "$@"
