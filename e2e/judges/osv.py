#!/usr/bin/env python3
"""An independent reading of OSV: which flaws the feed gives the packages that the package managers list.

  osv.py FEEDS SITE_PACKAGES GO_PROGRAM      prints `ECOSYSTEM NAME VERSION FLAW` lines, sorted
  osv.py FEEDS /                             the same of this whole machine, on the file system of its root

Nothing here is shared with the product: packages come from pip and go, versions are compared by pip's own library
and by the rules of SemVer, ranges are read as the OSV schema describes them.
"""
import json
import os
import re
import stat
import subprocess
import sys
import zipfile

from pip._vendor.packaging.version import InvalidVersion, Version


def semver(text):
    core, _, pre = text.lstrip("v").split("+")[0].partition("-")
    numbers = [int(part) for part in core.split(".")]
    numbers += [0] * (3 - len(numbers))
    key = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".")] if pre else []
    return (numbers, not pre, key)


def pypi(text):
    try:
        return Version(text)
    except InvalidVersion:
        return None


def affected(entry, version, order):
    if version in entry.get("versions", []):
        return True
    own = (1, order(version))
    for ranged in entry.get("ranges", []):
        if ranged["type"] == "GIT":
            continue
        events = []
        for event in ranged["events"]:
            for kind, bound in event.items():
                # "0" lies below every version, pre-releases of 0.0.0 included. Source: OSV schema, affected[].ranges[].
                key = (0,) if bound == "0" else (1, order(bound))
                events.append((key, kind))
        events = [event for event in events if event[0] == (0,) or event[0][1] is not None]
        events.sort(key=lambda event: event[0])
        inside = False
        for bound, kind in events:
            if kind == "introduced" and own >= bound:
                inside = True
            elif kind == "fixed" and own >= bound:
                inside = False
            elif kind == "last_affected" and own > bound:
                inside = False
        if inside:
            return True
    return False


def flaws(record):
    cves = sorted({name for name in [record["id"], *record.get("aliases", [])] if name.startswith("CVE-")})
    ghsas = sorted({name for name in [record["id"], *record.get("aliases", [])] if name.startswith("GHSA-")})
    return cves or ghsas[:1] or [record["id"]]


def python_packages(site):
    listed = json.loads(subprocess.check_output(["pip", "list", "--format", "json", "--path", site]))
    return [(re.sub(r"[-_.]+", "-", package["name"]).lower(), package["version"]) for package in listed]


def go_modules(program):
    told = subprocess.run(["go", "version", "-m", program], text=True, capture_output=True).stdout
    modules = []
    for line in told.splitlines():
        words = line.split() or [""]
        if words[0] == "dep":
            modules.append((words[1], words[2]))
        elif words[0] == "=>":
            modules[-1] = (words[1], words[2]) if len(words) > 2 and words[2].startswith("v") else ("", "")
        elif words[0].endswith(":") and words[1].startswith("go1"):
            modules.append(("stdlib", words[1].removeprefix("go")))
    return modules


def machine():
    """What lies on the root's file system and belongs to no package of dpkg, whose advisories alone count for those."""
    owned = set()
    for name in os.listdir("/var/lib/dpkg/info"):
        if name.endswith(".list"):
            with open(f"/var/lib/dpkg/info/{name}") as listed:
                owned.update(os.path.realpath(path) for path in listed.read().splitlines())
    root, python, go = os.lstat("/").st_dev, [], []
    for folder, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if os.lstat(os.path.join(folder, name)).st_dev == root]
        own = [name for name in folders if name.endswith(".dist-info")]
        if any(os.path.join(folder, name, "METADATA") not in owned for name in own):
            python += python_packages(folder)
        for name in files:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISREG(mode) and mode & 0o111 and path not in owned:
                with open(path, "rb") as program:
                    if program.read(4) == b"\x7fELF":
                        go += go_modules(path)
    return python, go


def main():
    feeds, *targets = sys.argv[1:]
    python, go = machine() if targets == ["/"] else (python_packages(targets[0]), go_modules(targets[1]))
    found, python, go = set(), set(python), set(go)
    for ecosystem, packages, order in (("PyPI", python, pypi), ("Go", go, semver)):
        with zipfile.ZipFile(f"{feeds}/osv/{ecosystem}/all.zip") as archive:
            for name in archive.namelist():
                record = json.loads(archive.read(name))
                if record.get("withdrawn"):
                    continue
                for entry in record.get("affected", []):
                    package = entry.get("package", {})
                    if package.get("ecosystem") != ecosystem:
                        continue
                    # Beside ranges of its own kind, Go's "from 0 on" stands for "cannot be said in SemVer".
                    custom = entry.get("ecosystem_specific", {}).get("custom_ranges")
                    if custom and all(ranged["events"] == [{"introduced": "0"}] for ranged in entry["ranges"]):
                        continue
                    title = package["name"]
                    title = re.sub(r"[-_.]+", "-", title).lower() if ecosystem == "PyPI" else title
                    for own, version in packages:
                        if own == title and affected(entry, version, order):
                            found.update(f"{ecosystem} {own} {version} {flaw}" for flaw in flaws(record))
    print("\n".join(sorted(found)))


main()
