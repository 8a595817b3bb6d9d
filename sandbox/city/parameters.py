"""What the invented city assumes beyond the statistics; raised shares are marked and say why."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CityParameters:
    """Assumptions of the generator. Shares are between 0 and 1, per row unless said otherwise.

    The subsidies concern few people: of 20,000 residents a true-to-life city would have about ten
    T objects per category and hardly an undecided one. The fields marked *raised* multiply what is
    rare so that a small city shows every decision; they do not touch births and deaths of the city
    as a whole by more than a few per cent.
    """

    # Who lives here. 2017: 7.943 of 21.707 million residents came from elsewhere; migrants are
    # registered less completely and have smaller families here, so they are fewer in the end.
    migrant_share_of_founders: float = 0.45
    rural_share: float = 0.22
    native_share: float = 0.72

    # When the population database was set up: those who died before have no row of their own.
    register_year: int = 2010

    # Marriages.
    divorce_share_before_1990: float = 0.06
    divorce_share_since_1990: float = 0.17
    remarriage_share: float = 0.35
    restored_share: float = 0.20
    adoption_share: float = 0.03
    mixed_hukou_share: float = 0.06

    # Children. Raised: accidents at twice, disabilities at about twice the usual frequency.
    accident_rate_per_year: float = 0.0007
    disability_1_to_3_share: float = 0.028
    disability_4_share: float = 0.012

    # Gaps in the register. Raised: each makes the decisions it touches unknown.
    death_proof_missing_share: float = 0.14
    death_date_missing_share: float = 0.04
    disability_certificate_missing_share: float = 0.14
    only_child_certificate_share: float = 0.88
    policy_attribute_missing_share: float = 0.06
    marriage_row_missing_share: float = 0.03
    marital_status_unknown_share: float = 0.004
    hukou_nature_missing_share: float = 0.004

    # Newborns.
    twin_share_before_2000: float = 0.01
    triplets_of_multiples: float = 0.02
    unnamed_in_population_share: float = 0.10
    no_resident_id_yet_share: float = 0.30


DEFAULT = CityParameters()
