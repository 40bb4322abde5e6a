"""A prefix of an S3 bucket as a place: bundles are keys, and the manifest is put last.

Credentials, region and endpoint come by boto3's own means: AWS_ACCESS_KEY_ID, AWS_PROFILE, a role
of the machine, AWS_ENDPOINT_URL for another server than Amazon's.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from convbench.errors import BadUsage
from convbench.sharing.bundles import MANIFEST, BadBundle, Bundle, is_bundle_name
from convbench.sharing.places import unusable

_PLACE = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(/(?P<prefix>[^\x00-\x1f#?]*))?"
)

_ABSENT = {"404", "NoSuchKey", "NotFound"}

_WORDS = {
    "NoSuchBucket": "there is no such bucket",
    "InvalidAccessKeyId": "the server does not know this access key",
    "SignatureDoesNotMatch": "the secret key is not that of the access key",
    "ExpiredToken": "the credentials have expired",
    "AccessDenied": "these credentials may not do that",
    "403": "these credentials may not do that",
}


@dataclass(frozen=True)
class S3Place:
    """Bundles as keys of a bucket.

    Attributes
    ----------
    client : object
        boto3's, which several threads may use.
    prefix : str
        How keys begin: empty, or with a slash at its end.
    """

    shown: str
    client: Any
    bucket: str
    prefix: str
    readers: int = 16

    @classmethod
    def of(cls, text: str) -> "S3Place":
        """Open a prefix; nothing is asked of the server yet."""
        found = _PLACE.fullmatch(text)
        if not found:
            raise BadUsage(f"--place {text!r}: expected s3://BUCKET/PREFIX")
        prefix = (found["prefix"] or "").strip("/")
        return cls(text, _client(text), found["bucket"], f"{prefix}/" if prefix else "")

    def names(self) -> set[str]:
        """Name the bundles that have a manifest."""
        found = set()
        with self._told("read"):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix
            )
            for page in pages:
                for entry in page.get("Contents", ()):
                    name, _, path = entry["Key"].removeprefix(self.prefix).partition("/")
                    if path == MANIFEST and is_bundle_name(name):
                        found.add(name)
        return found

    def read(self, bundle: str, path: str, limit: int) -> bytes:
        """Read an object, of which no more is transferred than it may have."""
        with self._told("read"):
            try:
                answer = self.client.get_object(Bucket=self.bucket, Key=self._key(bundle, path))
            except self.client.exceptions.ClientError as error:
                if error.response.get("Error", {}).get("Code") in _ABSENT:
                    raise BadBundle(f"{path}: it is not there") from None
                raise
            with contextlib.closing(answer["Body"]) as body:
                if answer["ContentLength"] > limit:
                    size = answer["ContentLength"]
                    raise BadBundle(f"{path}: {size:,} bytes; expected at most {limit:,}")
                return bytes(body.read())

    def add(self, bundles: Sequence[Bundle]) -> None:
        """Put the files of each bundle, then its manifest."""
        for bundle in bundles:
            for path in bundle.manifest.files:
                self._put(bundle.name, path, bundle.read(path))
            self._put(bundle.name, MANIFEST, bundle.manifest.to_bytes())

    def _put(self, bundle: str, path: str, content: bytes) -> None:
        with self._told("written"):
            key = self._key(bundle, path)
            self.client.put_object(Bucket=self.bucket, Key=key, Body=content)

    def _key(self, bundle: str, path: str) -> str:
        return f"{self.prefix}{bundle}/{path}"

    @contextlib.contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        """Say in one line what boto3 raises, in words that hold no credentials."""
        from botocore import exceptions

        try:
            yield
        except exceptions.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))[:60]
            why = _WORDS.get(code, f"the server says {code!r}")
            raise unusable(self.shown, doing, why) from None
        except exceptions.NoCredentialsError:
            why = "no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            raise unusable(self.shown, doing, why) from None
        except (exceptions.ConnectionError, exceptions.HTTPClientError):
            endpoint = re.sub(r"//[^/\s]*@", "//", self.client.meta.endpoint_url)
            raise unusable(self.shown, doing, f"{endpoint} does not answer") from None
        except exceptions.BotoCoreError as error:
            raise unusable(self.shown, doing, type(error).__name__) from None


def _client(text: str) -> Any:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise BadUsage(f"--place {text} needs boto3: pip install 'convbench[s3]'") from None
    settings = Config(
        connect_timeout=10,
        read_timeout=60,
        retries={"max_attempts": 5, "mode": "standard"},
        max_pool_connections=S3Place.readers,
    )
    try:
        return boto3.session.Session().client("s3", config=settings)
    except (BotoCoreError, ValueError) as error:
        raise unusable(text, "reached", type(error).__name__) from None
