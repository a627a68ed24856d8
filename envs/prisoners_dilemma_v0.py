"""
# Prisoner's dilemma

| Creation           | `make("parallel", "dilemmas/prisoners_dilemma-v0")`, `make("aec", ...)` |
|--------------------|----------|
| Import             | `from dilemmas.envs import prisoners_dilemma_v0` |
| Actions            | Discrete |
| Parallel API       | Yes (native; the AEC form is made from it) |
| Manual Control     | No |
| Agents             | `player_0`, `player_1` |
| Number of agents   | 2 |
| Action Shape       | Discrete(2) |
| Action Values      | 0, 1 |
| Observation Shape  | (4,) |
| Observation Values | [0, 1] |
| State Shape        | (4,) |

Numbers and shapes are those of the default options.

Two players choose at the same time. Defection is each player's best action whatever the other player does, but both
players are better off if both cooperate than if both defect. The only equilibrium of one round is mutual defection.

### Arguments

```python
import pettingzoo
import dilemmas.envs

pettingzoo.make("parallel", "dilemmas/prisoners_dilemma-v0", T=5, R=3, P=1, S=0,
                rounds=None, continuation=1, noise=0, misperception=0, memory=1,
                clock=False, talk=0, signals=3, words=False, punishment=None,
                reward=None, points=1, max_cycles=None, render_mode=None, views=False,
                observe_masks=False)
```

`T`, `R`, `P`, `S`: payoffs in points, which must satisfy T > R > P > S: temptation, reward, punishment, sucker's
payoff.

`rounds`: number of rounds, after which the agents are terminated; 1 is the one-shot game. For a pair (shortest,
longest) the number is drawn uniformly from that range, and the agents do not observe it. None: no fixed number.

`continuation`: continuation probability, from 0 to 1: the probability that another round follows; otherwise the
agents are terminated.

`noise`: trembling hand: probability, from 0 to 1, that an action is replaced by one of the other actions, drawn
uniformly.

`misperception`: probability, from 0 to 1, that an agent perceives another agent's action as one of the other
actions, drawn uniformly; the agents' histories then differ.

`memory`: number of past rounds that the agents observe, from 0 up; None is the whole match and needs `rounds`.

`clock`: whether the agents observe the share of the rounds that is left; requires a fixed number of `rounds`.

`talk`: number of turns of cheap talk before the agents act. In each turn all agents send a signal at the same
time; signals cost nothing and do not restrict the actions.

`signals`: number of signals; signal 0 is silence.

`words`: whether a signal may also be a text. Views have the text; in observations all texts look the same.

`punishment`: pair (cost, effect) of a stage after the action in which each agent may assign points to each
other agent: a point costs the agent that assigns it `cost` and takes `effect` from the agent that receives it,
in payoff points; (1, 3) in Fehr & Gächter 2002 (Nature 415:137). None: no such stage.

`reward`: pair (cost, effect) of a similar stage whose points give `effect` to the receiver. None: no such
stage.

`points`: largest number of points that an agent may assign to another agent in a stage of punishment or reward.

`max_cycles`: number of steps after which the agents are truncated. None: 100 rounds where the rules end no
match, otherwise no truncation. A round is one step, plus one for each turn of talk, for punishment and for
reward.

`render_mode`: `"human"` (prints text at each reset and step), `"ansi"` (text), `"rgb_array"` (picture) or None.

`views`: whether infos have a view, from which strategies and language models decide; off for libraries that
convert infos to tensors (TorchRL, Tianshou).

`observe_masks`: whether an observation is a dictionary of the vector below, `observation`, and of the
`action_mask`, which is 1 for each action of the next step; for learners that read masks from observations
(Tianshou, RLlib).

### Observation Space

A vector of numbers from 0 to 1. With n players and w actions it has these parts:

| Part | Length | With |
| :-- | :-- | :-- |
| the last `memory` rounds, oldest first, by player and action | `memory * n * w` | always |
| the step within the round, one-hot | `talk + 1 + bool(punishment) + bool(reward)` | talk, punishment or reward |
| the signals of this round, by turn and player, one-hot | `talk * n * (signals + words)` | talk |
| this round's actions, by player and action | `n * w` | punishment or reward |
| points moved by sanctions in the last round, by player; 0.5 is none | `n` | punishment or reward |
| share of the rounds that is left | `1` | clock |

Each agent observes itself first, then the other agents in order. An action is one-hot, where w is the largest number of
actions of any player; a continuous action is its share of the largest endowment, and w is 1. Parts that have not
happened yet are 0; if there is nothing to observe, the vector is a single 0. With two players, two actions and memory
1, `[1, 0, 0, 1]` means: I took action 0 and the other player took action 1. `state()` is the observation of `player_0`
without errors of perception.

With `views`, `infos[agent]["view"]` has the same information and the game as a `dilemmas.envs.rules.protocol.View`.
Where a round takes several steps, `infos[agent]["action_mask"]` is 1 for each action that belongs to the next step.

### Action Space

| Value | Action |
| :---: | :----: |
| 0 | Cooperate |
| 1 | Defect |

With `talk`, `punishment` or `reward` a round takes several steps: each turn of talk, the action above,
punishment, reward. The action space is that of the step with the most actions. In talk an action is a signal. In
punishment and reward the digits of an action to base `points + 1` are the points for each of the other agents in order,
lowest digit first. An action that does not belong to the step is not an error: it counts as silence, as the last action
above, or as no points.

### Rewards

The payoff of the round, by own action and the other player's action (Axelrod 1984, *The Evolution of Cooperation*):

| own action / other's action | Cooperate | Defect |
| :-- | :-: | :-: |
| Cooperate | R = 3 | S = 0 |
| Defect | T = 5 | P = 1 |

In a repeated match, mutual cooperation is better than alternating defection if 2R > T + S. The default payoffs
satisfy this; it is not enforced.

### Version History

* v0: Initial version (0.1.0)
"""

from functools import partial

from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]

parallel_env = partial(parallel, "prisoners_dilemma")
raw_env = partial(aec, "prisoners_dilemma")
env = raw_env  # `aec` already checks the order of calls
