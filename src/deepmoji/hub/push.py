"""A bundle onto a model hub, with its model card: exactly its parts, in one commit."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepmoji.bundle import PARTS, Bundle
from deepmoji.errors import BundleError, HubError, InputError
from deepmoji.hub.repository import Repository, endpoint, explained, library

CARD = "README.md"
_HERE = "THIS_FOLDER"  # as the cards of bundles name the model


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """A model that is on a hub now."""

    place: str  # hf://OWNER/NAME
    page: str  # of the commit, for a browser
    commit: str
    files: tuple[str, ...]


def push(
    model: str | Path, place: str, *, private: bool = False, message: str | None = None
) -> Pushed:
    """Publish a bundle on a model hub; the repository is made if it is not there.

    One commit brings the bundle's parts and takes away parts that an earlier model left there;
    other files of the repository stay. The hub knows who writes by the token in ``HF_TOKEN``, or
    by that of ``hf auth login``.

    Args:
        model: the folder of a bundle.
        place: ``hf://OWNER/NAME``.
        private: whether only you may see it.
        message: of the commit.

    Raises:
        BundleError: if the folder is no sound bundle, or lacks its model card.
        HubError: if the hub cannot be reached or refuses, or if the repository is public and was
            to be private.
        InputError: if the place is written in another way.
        MissingDependency: if huggingface_hub is not installed.
    """
    repository = Repository.parse(place)
    if repository.revision != "main":
        raise InputError(f"models are pushed to the main branch: hf://{repository.id}")
    bundle = Bundle.open(model)
    if not bundle.card.strip():
        raise BundleError(f"{bundle.folder} has no model card ({CARD}); export the model anew")
    api = library().HfApi(endpoint=endpoint())
    with explained(repository):
        # Without a wish, an organisation's own default holds.
        api.create_repo(repository.id, private=private or None, exist_ok=True)
        if private and not api.model_info(repository.id).private:
            raise HubError(
                f"{repository} is there already and public; make it private on the hub, or "
                "choose another name"
            )
        there = set(api.list_repo_files(repository.id))
        commit = api.create_commit(
            repository.id,
            _operations(bundle, repository, there),
            commit_message=message or "Add a deepmoji model",
        )
    files = tuple(part for part in PARTS if (bundle.folder / part).is_file())
    return Pushed(
        place=str(repository), page=str(commit.commit_url), commit=str(commit.oid), files=files
    )


def card_for(bundle: Bundle, repository: Repository) -> str:
    """Return a bundle's model card, with the command that runs the model from the hub."""
    command = f'"$(deepmoji download {repository})"'
    return bundle.card.replace(_HERE, command)


def _operations(bundle: Bundle, repository: Repository, there: set[str]) -> list[Any]:
    hub, operations = library(), list[Any]()
    for part in PARTS:
        path = bundle.folder / part
        if part == CARD:
            content = card_for(bundle, repository).encode()
            operations.append(hub.CommitOperationAdd(part, content))
        elif path.is_file():
            operations.append(hub.CommitOperationAdd(part, str(path)))
        elif part in there:  # of another model: weights that the new one does not have
            operations.append(hub.CommitOperationDelete(part))
    return operations
