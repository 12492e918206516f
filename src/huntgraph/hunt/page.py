"""The hunt file's format as typed models: what authors may write, with a description of each key.

The JSON Schema that editors use is made from these models, so descriptions are written for authors.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from huntgraph.hunt.durations import (
    DURATION_PATTERN,
    format_ticks,
    parse_moment,
    parse_ticks,
)
from huntgraph.schema import HEAT_MAX, NODES

__all__ = [
    "XY",
    "AllOf",
    "AnyOf",
    "Clue",
    "Gate",
    "Hint",
    "Name",
    "Need",
    "Page",
    "Place",
    "Reward",
    "Stage",
    "Traffic",
    "Treasure",
    "Window",
]

POINTS_MAX: Final = 1_000_000
"""Keeps every possible score inside the 32 bits that a player's score has."""
_DECAY_SHARES: Final = tuple(f"1/{2**shift}" for shift in range(1, 8))


def _texts(value: object) -> object:
    # A plain text is one in the hunt's first language, written "" until that is known.
    return {"": value} if isinstance(value, str) else value


def _write_texts(value: dict[str, str]) -> object:
    return value[""] if set(value) == {""} else value


def _write_moment(value: int | datetime) -> str:
    return value.isoformat() if isinstance(value, datetime) else format_ticks(value)


def _power_of_two(value: int) -> int:
    if value not in (1, 2, 4, 8, 16, 32, 64, 128):
        raise PydanticCustomError(
            "hunt",
            "{what}",
            {"what": f"{value} is not a power of two up to 128", "fix": "use 1, 2, 4, 8 .. 128"},
        )
    return value


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, (int, dict)) else value


Id = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$",
        description="lower-case letters, digits, - and _; used once in the whole hunt",
    ),
]
Language = Annotated[
    str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$", description="such as en or de-AT")
]
Text = Annotated[
    dict[Annotated[str, Field(pattern=r"^([A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*)?$")], str],
    BeforeValidator(_texts),
    PlainSerializer(_write_texts),
    WithJsonSchema(
        {
            "type": ["string", "object"],
            "additionalProperties": {"type": "string"},
            "description": "one text per language, or one plain text in the first language",
        }
    ),
]
Duration = Annotated[
    int,
    BeforeValidator(parse_ticks),
    PlainSerializer(format_ticks),
    WithJsonSchema({"type": ["string", "integer"], "pattern": DURATION_PATTERN, "maximum": 0}),
]
Moment = Annotated[
    int | datetime,
    BeforeValidator(parse_moment),
    PlainSerializer(_write_moment),
    WithJsonSchema({"type": ["string", "integer"], "maximum": 0}),
]
Points = Annotated[int, Field(ge=0, le=POINTS_MAX)]
Node = Annotated[int, Field(ge=0, lt=NODES, description="number of a node of the world")]


class _Part(BaseModel):
    # Strict: "5" is no number and yes is no word, so that a slip is told and not guessed at.
    # Made ready when first used: most are parts of another, and serving asks for none of them.
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, populate_by_name=True, defer_build=True
    )


class XY(_Part):
    """A place by its position."""

    x: int = Field(description="x of the node's position")
    y: int = Field(description="y of the node's position")


class Name(_Part):
    """A place by the id the node had in the source of the world."""

    name: Annotated[int, Field(ge=0, lt=2**64, description="the node's id in the world's source")]


def _place_tag(value: object) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return "<node>"
    if isinstance(value, Name) or (isinstance(value, dict) and "name" in value):
        return "<name>"
    if isinstance(value, (dict, XY)):
        return "<xy>"
    return None


Place = Annotated[
    Annotated[Node, Tag("<node>")] | Annotated[XY, Tag("<xy>")] | Annotated[Name, Tag("<name>")],
    Discriminator(
        _place_tag,
        custom_error_type="place",
        custom_error_message="not a place",
    ),
]


class AllOf(_Part):
    """Needs of which all must be met."""

    all: list[Need] = Field(min_length=1, description="all of these")


class AnyOf(_Part):
    """Needs of which one is enough."""

    any: list[Need] = Field(min_length=1, description="one of these is enough")


def _need_tag(value: object) -> str | None:
    if isinstance(value, str):
        return "<id>"
    if isinstance(value, AnyOf) or (isinstance(value, dict) and "any" in value):
        return "<any>"
    if isinstance(value, (dict, AllOf)):
        return "<all>"
    return None


def _all_of_list(value: object) -> object:
    return {"all": value} if isinstance(value, list) else value


Need = Annotated[
    Annotated[Id, Tag("<id>")] | Annotated[AllOf, Tag("<all>")] | Annotated[AnyOf, Tag("<any>")],
    Discriminator(
        _need_tag,
        custom_error_type="need",
        custom_error_message="not an id, a list, all or any",
    ),
    BeforeValidator(_all_of_list),
]


class Window(_Part):
    """When a stage can be found or won, counted from the hunt's opening (pauses do not count)."""

    begins: Duration = Field(0, alias="from", description="first moment, such as 10m")
    ends: Duration | None = Field(
        None, alias="to", description="end, such as 40m; left out: until the hunt closes"
    )


class Hint(_Part):
    """A text that a player can ask for."""

    after: Duration = Field(0, description="how long the stage must have been the player's target")
    cost: Points = Field(0, description="points it costs")
    text: Text = Field(default_factory=dict, description="the hint, per language")


class Reward(_Part):
    """What the game server hands out for a treasure."""

    id: str = Field(min_length=1, max_length=200, description="the game's own name of the reward")
    amount: Annotated[int, Field(ge=1, le=1_000_000)] = Field(1, description="how many")
    text: Text = Field(default_factory=dict, description="what the winner reads, per language")


class Stage(_Part):
    """What clues and treasures have in common."""

    at: Place = Field(description="node number, {x, y} or {name}")
    needs: Need | None = Field(
        None,
        description="what a player must have found before: an id, a list (all of it), "
        "{all: [...]} or {any: [...]}, nested as you like",
    )
    window: Window = Field(
        default_factory=lambda: Window.model_validate({}), description="when it can be found or won"
    )
    points: Points = Field(0, description="points for it")
    hints: list[Hint] = Field(default_factory=list, description="at most 4, given in this order")
    text: Text = Field(default_factory=dict, description="what the player reads, per language")


class Clue(Stage):
    """A stage found by arriving."""

    clue: Id = Field(description="id of this clue")

    @property
    def id(self) -> str:
        """The clue's id."""
        return self.clue


class Treasure(Stage):
    """A stage won by a claim."""

    treasure: Id = Field(description="id of this treasure")
    who: Literal["exclusive", "team", "player"] = Field(
        "player",
        description="exclusive: one player in all; team: each team once; player: each player once",
    )
    stock: Annotated[int, Field(ge=0, lt=2**32 - 1)] = Field(
        0, description="how many can be won in all; 0: as many as want"
    )
    reward: Reward | None = Field(None, description="what the winner gets")

    @property
    def id(self) -> str:
        """The treasure's id."""
        return self.treasure


def _stage_tag(value: object) -> str | None:
    if isinstance(value, (Clue, Treasure)):
        return "<clue>" if isinstance(value, Clue) else "<treasure>"
    if isinstance(value, dict):
        if "treasure" in value:
            return "<treasure>"
        if "clue" in value:
            return "<clue>"
    return None


AnyStage = Annotated[
    Annotated[Clue, Tag("<clue>")] | Annotated[Treasure, Tag("<treasure>")],
    Discriminator(
        _stage_tag,
        custom_error_type="stage",
        custom_error_message="neither a clue nor a treasure",
    ),
]
Pair = Annotated[list[Place], Field(min_length=2, max_length=2, description="[from, to]")]


class Gate(_Part):
    """Edges that are closed and opened for all players together."""

    gate: Id = Field(description="id of this gate")
    edges: list[Pair] = Field(default_factory=list, description="edges, one way: [from, to]")
    both_ways: list[Pair] = Field(default_factory=list, description="edges in both directions")
    shut_at_start: bool = Field(False, description="whether it is shut when the hunt opens")
    flips_when: list[Id] = Field(
        default_factory=list,
        description="when somebody has found each of these, the gate takes the opposite "
        "of its start",
    )
    opens_at: Duration = Field(0, description="time of the hunt at which it opens")
    closes_at: Duration = Field(0, description="time of the hunt at which it shuts")

    @property
    def id(self) -> str:
        """The gate's id."""
        return self.gate

    @model_validator(mode="after")
    def _has_edges(self) -> Gate:
        if not self.edges and not self.both_ways:
            what = f'gate "{self.gate}" has no edges'
            raise PydanticCustomError(
                "hunt", "{what}", {"what": what, "fix": "add edges or both_ways"}
            )
        return self


class Traffic(_Part):
    """How moves make edges dearer, and how that fades."""

    rise: Annotated[int, Field(ge=0, le=HEAT_MAX)] = Field(
        description="heat that one move adds to its edge"
    )
    bucket: Annotated[
        int,
        Field(ge=1, le=128),
        BeforeValidator(lambda value: _power_of_two(value) if type(value) is int else value),
        WithJsonSchema({"type": "integer", "enum": [1, 2, 4, 8, 16, 32, 64, 128]}),
    ] = Field(1, description="heat of one bucket: the weight moves only when heat crosses one")
    bucket_cost: Annotated[int, Field(ge=0, le=65534)] = Field(
        description="weight that each full bucket adds"
    )
    decay_share: Annotated[str, WithJsonSchema({"type": "string", "enum": list(_DECAY_SHARES)})] = (
        Field("1/8", pattern=r"^1/(2|4|8|16|32|64|128)$", description="share of heat lost a round")
    )
    decay_every: Duration = Field(0, description="length of one round; 0: heat never fades")


Starts = Annotated[list[Place], BeforeValidator(_one_or_more)]


class Page(_Part):
    """A huntgraph hunt."""

    hunt: Id = Field(description="id of the hunt")
    title: Text = Field(default_factory=dict, description="name of the hunt, per language")
    languages: list[Language] = Field(
        default_factory=lambda: ["en"],
        min_length=1,
        description="languages of the texts; the first is what everybody else reads",
    )
    fallback: dict[str, list[Language]] = Field(
        default_factory=dict,
        description="which languages to try, in order, for players of a language: {gsw: [de]}",
    )
    opens: Moment = Field(
        0, description="delay after publishing (5m) or a time (2027-05-01T14:00:00+02:00)"
    )
    duration: Duration = Field(0, description="how long it is open, pauses not counted; 0: no end")
    teams: list[Annotated[str, Field(min_length=1, max_length=80)]] = Field(
        default_factory=list, description="names of the teams, at most 64; none: everyone alone"
    )
    start: Starts = Field(
        default_factory=list,
        description="where players come in; the check counts from here (default: the world's "
        "largest connected part)",
    )
    traffic: Traffic | None = Field(None, description="how moves make edges dearer")
    stages: list[AnyStage] = Field(
        default_factory=list,
        description="clues and treasures; players are guided to the first one open to them",
    )
    gates: list[Gate] = Field(
        default_factory=list, description="edges closed and opened for all players together"
    )

    def plain(self) -> dict[str, Any]:
        """Give the page as an author would write it: plain values, defaults left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
