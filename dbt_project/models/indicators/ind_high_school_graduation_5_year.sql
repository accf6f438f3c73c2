{{ graduation_indicator('high_school_graduation_5_year', 5) }}
