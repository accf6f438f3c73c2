{{ graduation_indicator('high_school_graduation_6_year', 6) }}
