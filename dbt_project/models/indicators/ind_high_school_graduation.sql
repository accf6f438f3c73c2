{{ graduation_indicator('high_school_graduation', 4) }}
